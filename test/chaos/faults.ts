import { setTimeout as sleep } from 'node:timers/promises';
import type { Span } from '../../schemas/hosts/simulator.js';
import type { Cluster } from '../support/cluster.js';
import type { ClusterProcess } from '../support/cluster-process.js';
import { fillDisk } from './fill-disk.js';
import { type Clock, type ShapeName, setClock } from './shapes.js';

/** Numbers from 0 to 1, the same for the same run. */
export type Dice = () => number;

/** Undoes what a fault has done; everything serves again when it resolves. */
export type Mend = () => Promise<unknown>;

export type Fault = {
  name: string;
  on: ShapeName;
  /** Milliseconds for which it lasts. */
  lasts: Span;
  /** Times of the simulator with which it finds something under way when it begins and when it ends. */
  times?: object;
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

/** SIGSTOP, and SIGCONT: nothing is answered, and every connection stays open. */
function frozen(
  name: string,
  of: (cluster: Cluster, dice: Dice) => ClusterProcess,
  more: Pick<Fault, 'lasts'> & Partial<Fault>,
): Fault {
  return {
    name,
    on: 'one of each',
    strike: async (cluster, dice) => {
      const victim = of(cluster, dice);
      victim.freeze();
      return async () => victim.thaw();
    },
    ...more,
  };
}

export const pauses = {
  /** Temporal gives its work to the other after 5 s; it wakes in the middle of that. */
  worker: frozen('one worker of two frozen for 10-30 s', (cluster, dice) => cluster.worker(dice() < 0.5 ? 0 : 1), {
    on: 'two of each',
    lasts: { min: 10_000, max: 30_000 },
    times: { boot_ms: { min: 1_000, max: 8_000 }, shutdown_ms: { min: 1_000, max: 8_000 } },
  }),
  mongodb: frozen('MongoDB frozen for 20 s', mongod, { lasts: 20_000 }),
  temporal: frozen('Temporal frozen for 60 s', ({ servers }) => servers.temporal, { lasts: 60_000 }),
  temporalAway: killed('Temporal killed, and started 60 s later', ['Temporal'], { lasts: 60_000 }),
};

/** Everything that has data or a log there meets it; what ended of it is started again, as the supervisor does. */
export const diskFull: Fault = {
  name: 'disk full for 5-15 s',
  on: 'small disk',
  lasts: { min: 5_000, max: 15_000 },
  strike: async (cluster) => {
    const empty = fillDisk(cluster.directory);
    let isKept = true;
    const keep = async () => {
      for (; isKept; await sleep(500)) await cluster.startWhatEnded().catch(() => {});
    };
    const kept = keep();
    return async () => {
      empty();
      // What the full disk has doomed may still be on its way down.
      await sleep(5_000);
      isKept = false;
      await kept;
      await cluster.startWhatEnded();
      await cluster.servers.mongodb.primary();
    };
  },
};

/** At least a minute, at most two hours, to either side of the true time; it stays so until the next jump. */
function jumping(name: string, clocks: readonly Clock[]): Fault {
  return {
    name,
    on: 'own clocks',
    lasts: 0,
    strike: async ({ directory }, dice) => {
      const seconds = Math.round(60 + dice() * 7_140) * (dice() < 0.5 ? -1 : 1);
      for (const clock of clocks) setClock(directory, clock, seconds);
      return async () => {};
    },
  };
}

export const jumps = {
  node: jumping('clock of api and worker jumps', ['api', 'worker']),
  api: jumping('clock of the api jumps, not that of the worker', ['api']),
  mongodb: jumping('clock of MongoDB jumps', ['mongodb']),
};
