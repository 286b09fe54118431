import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** Kept by `npm start` in the home. */
const KeptPorts = z.object({ simulator: z.int().min(1).max(65_535) });

/** Where the simulator is that `npm start` runs on this machine, by the ports in its home (ARCUS_HOME), or undefined. */
export function keptAddress(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const home = environment.ARCUS_HOME || join(homedir(), '.arcus');
  try {
    const { simulator } = KeptPorts.parse(JSON.parse(readFileSync(join(home, 'ports.json'), 'utf8')));
    return `http://127.0.0.1:${simulator}`;
  } catch {
    return undefined;
  }
}
