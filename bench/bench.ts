import { cpus } from 'node:os';
import { type Arcus, cloud } from './arcus.js';
import { type Floor, startFloor } from './floor/floor.js';
import type { WatchedLoops } from './hostile/watched-loops.js';
import { type Cost, startCounting } from './process-cost.js';
import type { Role } from './subject.js';

/** What the rows work with: one Arcus, its floor while it is needed, and what earlier rows have left. */
export type Bench = {
  arcus: Arcus;
  cores: number;
  /** The floor; started by the first row that asks. */
  floor(): Promise<Floor>;
  /** Ends the floor's worker, so that it costs nothing any more. */
  stopFloor(): Promise<void>;
  /** Begins to count the CPU of every process of Arcus, and of the floor's worker; the function that it returns ends that. */
  count(): () => Cost;
  /** Medians that other rows compare with, in ms, by name of the row. */
  medians: Map<string, number>;
  /** How long event loops stand; null where no row asks for it. */
  loops: WatchedLoops | null;
  /** What names of hostile cases must have to be measured. */
  cases: string;
};

export function benchOf(arcus: Arcus, loops: WatchedLoops | null, cases: string): Bench {
  let floor: Floor | null = null;
  return {
    arcus,
    cores: cpus().length,
    async floor() {
      floor ??= await startFloor(arcus.temporal, arcus.mongodbUri('arcus-bench-floor'), cloud.hosts);
      return floor;
    },
    async stopFloor() {
      await floor?.stop();
      floor = null;
    },
    count: () => startCounting({ ...arcus.processes(), ...(floor && { floor: floor.pid }) }),
    medians: new Map(),
    loops,
    cases,
  };
}

/** The role graph of the ten VMs: frontend 1, db_master 1, db_slave 3 under it, web_server 5 under the three. */
export const tenVms: readonly Role[] = [
  { name: 'frontend' },
  { name: 'db_master' },
  { name: 'db_slave', cardinality: 3, parents: ['db_master'] },
  { name: 'web_server', cardinality: 5, parents: ['frontend', 'db_master', 'db_slave'] },
];

export const oneRole = (cardinality: number): readonly Role[] => [{ name: 'web', cardinality }];
