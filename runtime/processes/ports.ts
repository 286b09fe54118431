import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { z } from 'zod';

const KeptPorts = z.record(z.string(), z.int().min(1).max(65_535));

/** Whether this machine would let a server listen on the port now. */
export function isPortFree(port: number, address = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: address, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Below the ranges from which systems take the ports of outgoing connections: a kept port is still free at the next start. */
const range = { from: 20_000, size: 10_000 };

/** A port that is free now and not among `taken`. */
export async function choosePort(taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const port = range.from + Math.floor(Math.random() * range.size);
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new Error(`no free port between ${range.from} and ${range.from + range.size}`);
}

function readKept(file: string): Record<string, number> {
  try {
    return KeptPorts.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}

/** One port for each name: the one given, else the one kept in the file when it is free, else one chosen free. All are kept from now on. */
export async function keepPorts<Name extends string>(
  file: string,
  names: readonly Name[],
  given: Partial<Record<Name, number>> = {},
): Promise<Map<Name, number>> {
  const kept = readKept(file);
  const taken = new Set(Object.values(kept));
  const chosen = new Map<Name, number>();
  for (const name of names) {
    const before = given[name] ?? kept[name];
    const usable = before !== undefined && (given[name] !== undefined || (await isPortFree(before)));
    const port = usable ? before : await choosePort(taken);
    taken.add(port);
    chosen.set(name, port);
  }
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, `${JSON.stringify({ ...kept, ...Object.fromEntries(chosen) }, null, 2)}\n`);
  renameSync(part, file);
  return chosen;
}
