import type { Span } from '../../schemas/simulator.js';
import type { Cluster } from '../support/cluster.js';
import type { ShapeName } from './shapes.js';

/** Numbers from 0 to 1, the same for the same run. */
export type Dice = () => number;

/** Undoes what a fault has done; everything serves again when it resolves. */
export type Mend = () => Promise<unknown>;

export type Fault = {
  name: string;
  on: ShapeName;
  /** Milliseconds for which it lasts. */
  lasts: Span;
  /** It is mended only when the work has ended without what was broken. */
  outlasted?: true;
  strike: (cluster: Cluster, dice: Dice) => Promise<Mend>;
};

type Victim = { kill: () => Promise<unknown>; startAgain: () => Promise<unknown> };

/** What can be killed, by its name. */
const victims = {
  worker: (cluster) => cluster.worker(0),
  api: (cluster) => cluster.api(0),
  Temporal: (cluster) => cluster.servers.temporal,
  MongoDB: (cluster) => ({
    kill: () => mongod(cluster).kill(),
    startAgain: async () => {
      await mongod(cluster).startAgain();
      await cluster.servers.mongodb.primary();
    },
  }),
  simulator: ({ simulator }) => ({ kill: () => simulator.end('SIGKILL'), startAgain: () => simulator.startAgain() }),
} satisfies Record<string, (cluster: Cluster) => Victim>;
type VictimName = keyof typeof victims;

function mongod({ servers }: Cluster) {
  const [member] = servers.mongodb.members;
  if (member === undefined) throw new Error('there is no MongoDB');
  return member;
}

/** SIGKILL, and a start right after it. */
function killed(name: string, names: readonly VictimName[], more: Partial<Fault> = {}): Fault {
  return {
    name,
    on: 'one of each',
    lasts: 0,
    strike: async (cluster) => {
      const struck = names.map((victim) => victims[victim](cluster));
      await Promise.all(struck.map((victim) => victim.kill()));
      return () => Promise.all(struck.map((victim) => victim.startAgain()));
    },
    ...more,
  };
}

export const kills = {
  worker: killed('worker killed', ['worker']),
  api: killed('api killed', ['api']),
  temporal: killed('Temporal killed', ['Temporal']),
  mongodb: killed('MongoDB killed', ['MongoDB']),
  simulator: killed('simulator killed', ['simulator']),
  all: killed('all killed at once', ['worker', 'api', 'Temporal', 'MongoDB', 'simulator']),
};

export const oneOfTwo = killed('one api and one worker of two killed', ['api', 'worker'], {
  on: 'two of each',
  outlasted: true,
});
