import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { boundLog } from './bound-log.js';
import { type Child, type ChildCommand, Children } from './children.js';
import { Obstacle } from './obstacle.js';

/** Waiting time before the next start of a child that died, in milliseconds: doubles up to the greatest. */
const usualBackOff = { first: 200, greatest: 10_000, forgottenAfter: 30_000, hangForgottenAfter: 600_000 };

export type ServiceCommand = Omit<ChildCommand, 'log'>;

/** One supervised process. */
export type Supervised = {
  name: string;
  log: string;
  /** The process that runs now, or the last one. */
  current: () => Child;
  /** How often it was started again. */
  restarts: () => number;
};

type Entry = Supervised & { child: Child; restartsDone: number; wanted: boolean; hung: string | null };

/** Keeps processes running: one that dies is started again, later each time. */
export class Supervisor {
  readonly #children: Children;
  readonly #logs: string;
  readonly #say: (line: string) => void;
  readonly #backOff: typeof usualBackOff;
  readonly #entries: Entry[] = [];
  readonly #logWatch: NodeJS.Timeout;
  #stopping = false;

  constructor(
    childrenFile: string,
    logs: string,
    say: (line: string) => void,
    backOff: Partial<typeof usualBackOff> = {},
  ) {
    this.#children = new Children(childrenFile);
    this.#logs = logs;
    this.#say = say;
    this.#backOff = { ...usualBackOff, ...backOff };
    this.#logWatch = setInterval(() => {
      for (const { log } of this.#entries) boundLog(log);
    }, 10_000).unref();
  }

  /** Whether nothing may be started any more. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  /** Starts a process and keeps it running. Give `supervise: false` while it is not known whether it can run at all. */
  start(service: ServiceCommand, { supervise = true } = {}): Supervised {
    if (this.#stopping) throw new Obstacle('stopping');
    const log = join(this.#logs, `${service.name.toLowerCase()}.log`);
    boundLog(log);
    const command = { ...service, log };
    const entry: Entry = {
      name: service.name,
      log,
      child: this.#children.start(command),
      restartsDone: 0,
      wanted: true,
      hung: null,
      current: () => entry.child,
      restarts: () => entry.restartsDone,
    };
    this.#entries.push(entry);
    if (supervise) void this.#keep(entry, command);
    return entry;
  }

  /** Begins to keep a process that was started without supervision. */
  keep(supervised: Supervised, service: ServiceCommand): void {
    const entry = this.#entries.find((candidate) => candidate === supervised);
    if (entry !== undefined) void this.#keep(entry, { ...service, log: entry.log });
  }

  async #keep(entry: Entry, command: ChildCommand): Promise<void> {
    const backOff = this.#backOff;
    for (let wait = backOff.first; ; wait = Math.min(wait * 2, backOff.greatest)) {
      const begin = Date.now();
      const reason = await entry.child.ended;
      if (this.#stopping || !entry.wanted) return;
      // What hangs takes a while to be noticed each time.
      const forgotten = entry.hung === null ? backOff.forgottenAfter : backOff.hangForgottenAfter;
      if (Date.now() - begin > forgotten) wait = backOff.first;
      const why = entry.hung === null ? `ended (${reason})` : `${entry.hung} and was killed`;
      entry.hung = null;
      this.#say(`${entry.name} ${why}: starting it again in ${wait / 1000} s, its log is ${entry.log}`);
      await sleep(wait);
      if (this.#stopping || !entry.wanted) return;
      entry.child = this.#children.start(command);
      entry.restartsDone++;
    }
  }

  /** Kills a process that hangs, as its log line then says in these words (`has not answered`); being kept, it is started again. */
  async restart(supervised: Supervised, hung: string | null = null): Promise<void> {
    const entry = this.#entries.find((candidate) => candidate === supervised);
    if (entry === undefined || this.#stopping) return;
    entry.hung = hung;
    await this.#children.end(entry.child, 0);
  }

  /** Ends one process and stops keeping it. */
  async end(supervised: Supervised, patience: number): Promise<void> {
    const entry = this.#entries.find((candidate) => candidate === supervised);
    if (entry === undefined) return;
    entry.wanted = false;
    await this.#children.end(entry.child, patience);
    this.#entries.splice(this.#entries.indexOf(entry), 1);
  }

  /** Ends all processes, group by group in the order given; each group has `patience` milliseconds before it is killed. */
  async stop(groups: readonly { names: readonly string[]; patience: number }[]): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#logWatch);
    for (const { names, patience } of groups) {
      const group = this.#entries.filter(({ name }) => names.includes(name));
      await Promise.all(group.map(({ child }) => this.#children.end(child, patience)));
    }
    await this.kill();
  }

  /** Ends whatever runs, at once. */
  async kill(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#logWatch);
    await Promise.all(this.#entries.map(({ child }) => this.#children.end(child, 0)));
    this.#children.release();
  }
}
