import { expect, inject, it } from 'vitest';
import type { Operation } from '../../schemas/operations/operation.js';
import type { World } from './world.js';
import { type Around, failingAt, twice } from './world-steps.js';

/** An operation that is to be stopped, repeated and cancelled at each of its steps. */
export type Deed = {
  /** Brings about what the operation begins from; returns the id of the resource, if it is there before. */
  prepare: () => Promise<number | null>;
  ask: (id: number | null) => Promise<{ op: string; id: number }>;
  /** What the owner does when it has not got there: null when it has. */
  again: (id: number) => Promise<{ op: string } | null>;
  /** How often that is needed at most, should it ask a person in between. Default: once. */
  tries?: number;
  /** Where it must end. */
  arrived: (id: number) => Promise<void>;
  /** Is given what has arrived: what others begin from, which need not be made for them. */
  leaves?: (id: number) => void;
  /** Whose steps count, by the ID of the workflow, where operations of others come of this one. Default: all. */
  steps?: RegExp;
  /** Waits for those others. */
  settles?: (id: number) => Promise<void>;
  /** The state of the resource after a cancel of its run, and what it may be. */
  cancelled: (id: number) => Promise<string>;
  afterCancel: RegExp;
  /** At how many steps at least a cancel comes early enough. Default: 2. One of a single quick step has none. */
  stops?: number;
  /** The step before which it has ended already, so that its end is asked for too late. Default: none. */
  over?: string;
  /** What the operation comes to when nobody disturbs it. Default: succeeded. */
  comesTo?: Operation['state'];
};

/** How a step may go wrong; each brings it about at one of them, and says whether the operation had that step. */
type Way = (nth: number) => Promise<{ reached: boolean; stopped: boolean }>;

/**
 * The tests that every operation has to pass. `npm test` has something go wrong at each of its steps, in one way of the four,
 * another at the next; `npm run test:long` each step in each way. `first`: the way at its first step.
 */
export function everyStep(inWorld: () => World, deed: Deed, first = 0): void {
  const comesTo = deed.comesTo ?? 'succeeded';
  const ways = [failure('before'), failure('after'), cancel, askedEnd];
  const inTurn = (nth: number): Way => ways[(first + nth) % ways.length] ?? cancel;

  it('comes to the same end when each of its steps is done twice', async () => {
    const { operation, resource } = await once(twice);
    expect(operation).toMatchObject({ state: comesTo, error: null });
    if (comesTo === 'succeeded') expect(await deed.again(resource)).toBeNull();
    await converges(resource, 'each step twice');
  });

  if (!inject('inEveryWay')) {
    it('converges after a failure, a cancel or the wish for its end at any step', async () => {
      for (let nth = 1, reached = true; reached; nth++) reached = (await inTurn(nth)(nth)).reached;
    });
    return;
  }

  it.each(['before', 'after'] as const)(
    'converges when it is asked again after a failure %s any step’s work',
    async (when) => {
      await atEachStep(failure(when));
    },
  );

  it('leaves nothing unaccounted for when it is cancelled at any step', async () => {
    // One that comes when all is there comes too late.
    expect(await atEachStep(cancel)).toBeGreaterThanOrEqual(deed.stops ?? 2);
  });

  it('stops, or says truthfully that all was done, when somebody asks for its end at any step', async () => {
    // Before its first step is done it has no run that could say anything else.
    expect(await atEachStep(askedEnd)).toBeGreaterThanOrEqual(Math.max(1, deed.stops ?? 2));
  });

  /** How often it was stopped by that. */
  async function atEachStep(way: Way): Promise<number> {
    let stops = 0;
    for (let nth = 1, reached = true; reached; nth++) {
      const went = await way(nth);
      reached = went.reached;
      if (went.stopped) stops += 1;
    }
    return stops;
  }

  function failure(when: 'before' | 'after'): Way {
    return async (nth) => {
      const { resource, steps } = await once(failingAt(nth, when));
      await converges(resource, `a failure ${when} step ${nth}, ${steps[nth - 1]}`);
      return { reached: steps.length >= nth, stopped: false };
    };
  }

  async function cancel(nth: number): ReturnType<Way> {
    const { operation, resource, steps } = await once(atStep(nth, cancelRun));
    const at = `a cancel at step ${nth}, ${steps[nth - 1]}`;
    const stopped = operation.state === 'cancelled';
    if (stopped) {
      expect(operation.error, at).toEqual({ code: 'cancelled', detail: 'cancelled' });
      expect(await deed.cancelled(resource), at).toMatch(deed.afterCancel);
    } else expect(operation, at).toMatchObject({ state: comesTo, error: null });
    await converges(resource, at);
    return { reached: steps.length >= nth, stopped };
  }

  async function askedEnd(nth: number): ReturnType<Way> {
    const { operation, resource, steps } = await once(atStep(nth, (op) => inWorld().cancel(op)));
    const reached = steps.length >= nth;
    const at = `an end asked for at step ${nth}, ${steps[nth - 1]}`;
    expect(reached ? ['cancelled', comesTo] : [comesTo], at).toContain(operation.state);
    const asked = reached && steps[nth - 1] !== deed.over;
    expect(operation.cancel_requested?.by, at).toEqual(asked ? { id: 2, name: 'alice' } : undefined);
    await converges(resource, at);
    return { reached, stopped: operation.state === 'cancelled' };
  }

  /** One run with this around its steps; then reconciliation, should it have left its operation open. */
  async function once(around: Around) {
    const world = inWorld();
    const known = await deed.prepare();
    world.steps.watch(around, deed.steps);
    const { op, id: resource } = await deed.ask(known);
    let operation = await world.server.skipping(world.ended(op));
    const steps = world.steps.names();
    world.steps.watch();
    if (!isOver(operation) || (operation.cancel_requested && operation.ended_at === null)) {
      await world.reconcile();
      operation = await world.ended(op);
    }
    expect(isOver(operation), `${op} ends`).toBe(true);
    await deed.settles?.(resource);
    return { operation, resource, steps };
  }

  function isOver({ state, ended_at }: Operation): boolean {
    return ended_at !== null || state === 'waiting_for_you';
  }

  /** The owner tries again, and everything is as it was meant to be. */
  async function converges(resource: number, after: string): Promise<void> {
    const world = inWorld();
    await world.accounted(after);
    let isLookedAt = true;
    for (let tries = deed.tries ?? 1; ; tries--) {
      const again = await deed.again(resource);
      if (!again) break;
      isLookedAt = false;
      const operation = await world.server.skipping(world.ended(again.op));
      if (tries > 1 && operation.state === 'waiting_for_you') continue;
      expect(operation, after).toMatchObject({ state: 'succeeded', error: null });
      break;
    }
    await deed.arrived(resource);
    if (!isLookedAt) await world.accounted(after);
    deed.leaves?.(resource);
  }

  async function cancelRun(_op: string, workflowId: string): Promise<void> {
    const run = await inWorld().engine.latestRun(workflowId);
    if (run) await inWorld().engine.cancel(workflowId, run);
  }

  /** Whoever cancels does so at the very moment that the nth step begins. */
  function atStep(nth: number, deedOf: (op: string, workflowId: string) => Promise<unknown>): Around {
    return async (step, run) => {
      const present = step.n === nth ? await inWorld().engine.latestRun(step.workflowId) : null;
      if (present?.op) await deedOf(present.op, step.workflowId);
      return run();
    };
  }
}
