import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { givenToken } from './given-token.js';
import { tokenFile } from './token.js';

/** Kept by `npm start` in the home. */
const KeptPorts = z.object({ simulator: z.int().min(1).max(65_535) });

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a simulator is and what lets its users in, as far as it is known. */
export type SimulatorAccess = { url: string | undefined; token: string | undefined };

/** Where the simulator is that `npm start` runs on this machine, by the ports in its home (ARCUS_HOME), or undefined. */
function keptAddress(home: string): string | undefined {
  try {
    const { simulator } = KeptPorts.parse(JSON.parse(readFileSync(join(home, 'ports.json'), 'utf8')));
    return `http://127.0.0.1:${simulator}`;
  } catch {
    return undefined;
  }
}

/**
 * The simulator at the address that is given, else the one that the Arcus of this machine runs. The token in the home is for
 * that one alone: whoever answers elsewhere is not told it.
 */
export function accessOf(given: string | undefined, environment: Environment): SimulatorAccess {
  const home = environment.ARCUS_HOME || join(homedir(), '.arcus');
  const kept = keptAddress(home);
  const url = given ?? kept;
  const token = givenToken(environment);
  if (token !== undefined || url === undefined || kept === undefined || new URL(kept).origin !== originOf(url))
    return { url, token };
  try {
    return { url, token: readFileSync(tokenFile(join(home, 'simulator')), 'utf8').trim() };
  } catch {
    return { url, token };
  }
}

const originOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).origin : undefined);
