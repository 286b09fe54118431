/** How long a user counts as being there after a step, in milliseconds: between two steps of a run others are at work. */
const lingers = 500;

/** Operations of which is remembered whose they are. */
const remembered = 2_000;

type Queue = { atWork: number; waiting: (() => void)[]; seenAt: number };

/**
 * Steps of different users take turns within a process: while others have some, those of one user are done one at a time,
 * whatever their number. So each has the same part of the one event loop, which does all of them; whoever is alone has all.
 */
export class StepTurns {
  readonly #queues = new Map<string, Queue>();
  readonly #parties = new Map<string, Promise<string | null>>();
  #timer: NodeJS.Timeout | undefined;
  readonly #findParty: (op: string) => Promise<string | null>;

  /** `partyOf`: who takes turns with others for an operation. */
  constructor(partyOf: (op: string) => Promise<string | null>) {
    this.#findParty = partyOf;
  }

  /** Does the work when it is its turn. It never comes to that if `signal` aborts before. */
  async take<T>(op: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const party = await this.#partyOf(op);
    if (party === null) return work();
    const queue = this.#queueOf(party);
    queue.seenAt = performance.now();
    if (queue.atWork > 0 && this.#hasOthers(party)) await this.#wait(queue, signal);
    else queue.atWork += 1;
    try {
      return await work();
    } finally {
      queue.atWork -= 1;
      queue.seenAt = performance.now();
      this.#go();
    }
  }

  /** Who cannot be found has no turn to wait for: the step itself will say what is wrong. */
  #partyOf(op: string): Promise<string | null> {
    const known = this.#parties.get(op);
    if (known) return known;
    const asked = this.#findParty(op).catch(() => {
      this.#parties.delete(op);
      return null;
    });
    this.#parties.set(op, asked);
    const [oldest] = this.#parties.keys();
    if (this.#parties.size > remembered && oldest !== undefined) this.#parties.delete(oldest);
    return asked;
  }

  #queueOf(party: string): Queue {
    const known = this.#queues.get(party);
    if (known) return known;
    const made: Queue = { atWork: 0, waiting: [], seenAt: 0 };
    this.#queues.set(party, made);
    return made;
  }

  async #wait(queue: Queue, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        queue.waiting.splice(queue.waiting.indexOf(go), 1);
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      queue.waiting.push(go);
      this.#arm();
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Sets going whoever may now; those who have left are forgotten. */
  #go(): void {
    for (const [party, queue] of this.#queues) {
      if (!isThere(queue)) this.#queues.delete(party);
      while (queue.waiting.length > 0 && (queue.atWork === 0 || !this.#hasOthers(party))) {
        queue.atWork += 1;
        queue.waiting.shift()?.();
      }
    }
    this.#arm();
  }

  /** Nobody tells that the others have left. */
  #arm(): void {
    if (this.#timer !== undefined || ![...this.#queues.values()].some(({ waiting }) => waiting.length > 0)) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#go();
    }, lingers);
    this.#timer.unref();
  }

  #hasOthers(party: string): boolean {
    for (const [other, queue] of this.#queues) if (other !== party && isThere(queue)) return true;
    return false;
  }
}

const isThere = ({ atWork, waiting, seenAt }: Queue): boolean =>
  atWork > 0 || waiting.length > 0 || performance.now() - seenAt < lingers;
