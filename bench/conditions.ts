import { cpus, loadavg } from 'node:os';
import { probeMongo } from '../runtime/servers/mongodb-server.js';
import { probeTemporal } from '../runtime/servers/temporal-server.js';

/** One, five and fifteen minutes' load. */
export const load = (): string =>
  loadavg()
    .map((average) => average.toFixed(1))
    .join(' ');

/** What the figures hold for: machine, versions, processes. */
export async function conditions(temporal: string, mongodb: string): Promise<string> {
  const cores = cpus();
  const [temporalVersion, mongodbVersion] = await Promise.all([
    probeTemporal({ address: temporal }),
    probeMongo(mongodb),
  ]);
  return [
    `${cores.length} cores (${cores[0]?.model.trim() ?? 'unknown'}), load ${load()}`,
    `Node.js ${process.versions.node}, Temporal ${temporalVersion} (one development server on a file), MongoDB ${mongodbVersion} (a replica set of one)`,
    'one api, one worker and one simulated hypervisor, all on this machine with what measures them; simulated boot time 0',
  ].join('\n');
}
