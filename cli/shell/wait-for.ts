import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { printable } from '../../schemas/common/printable.js';
import { type Context, type Leaf, leaf } from './command.js';
import { Complaint } from './complaint.js';
import { durationOf } from './duration.js';
import { interruptible } from './interruptible.js';
import { type Resource, report, resolve } from './resource.js';

/** Milliseconds between two looks: short at first. */
const shortestPause = 100;
const longestPause = 1000;
/** How long a server may be silent while somebody waits: time to be started again. */
const patience = 60_000;
const within = 15_000;

/** What is waited for, of an object that is gone (null) or as it is: it has come, or cannot come any more and why. */
export type Outcome = { come: true } | { never: string } | { come: false; at: string };

/** How the states of one kind of object are waited for. */
type Waitable<S extends z.ZodType> = {
  /** The states that an object is in, the one that says most first: any of them may be waited for. */
  statesOf: (object: z.output<S>) => readonly [string, ...string[]];
  /** All that may be waited for. */
  known: readonly string[];
  /** Why no other state comes by itself any more; null while one may. */
  stuck: (object: z.output<S>) => string | null;
  /** Nothing is left of it but its record. */
  hasEnded: (object: z.output<S>) => boolean;
};

const Options = z.object({
  for: z.string({ error: 'is needed: state=RUNNING, say, or deleted' }),
  timeout: z
    .string()
    .transform((text, context) => {
      const milliseconds = durationOf(text);
      if (milliseconds === undefined)
        context.addIssue({ code: 'custom', message: 'must be a time, such as 90s, 5m or 1h' });
      return milliseconds ?? 0;
    })
    .optional(),
});

/** What an object that was looked at means for who waits for `wish`: a state, or `deleted`. */
export function outcomeOf<S extends z.ZodType>(
  object: z.output<S> | null,
  wish: string,
  { statesOf, stuck, hasEnded }: Waitable<S>,
): Outcome {
  if (object === null) return wish === 'deleted' ? { come: true } : { never: 'it is gone' };
  if (wish === 'deleted' ? hasEnded(object) : statesOf(object).includes(wish)) return { come: true };
  if (hasEnded(object)) return { never: `it is ${statesOf(object)[0]}` };
  const reason = stuck(object);
  return reason === null ? { come: false, at: statesOf(object)[0] } : { never: reason };
}

/** `wait`: until an object is in a state, or gone. */
export const waitLeaf = <L extends z.ZodType<{ id: number; name: string }>, S extends z.ZodType>(
  resource: Resource<L, S>,
  waitable: Waitable<S>,
): Leaf =>
  leaf({
    usage: `wait <${resource.noun}>`,
    summary: `Wait until a ${resource.noun} is in a state, or gone; ends early when that cannot come any more`,
    examples: [
      `arcus ${resource.noun} wait my_${resource.noun} --for state=${waitable.known[0]} --timeout 5m`,
      `arcus ${resource.noun} wait 12 --for deleted`,
    ],
    options: [
      ['--for <condition>', `state=S, with S one of ${waitable.known.join(', ')}; or deleted: gone, or ended`],
      ['--timeout <time>', 'give up after this, with exit code 8: 90s, 5m, 1h (default: never)'],
    ],
    schema: Options,
    run: async (context, [wish], { for: condition, timeout }) => {
      const wanted = wantedBy(condition, waitable.known);
      const id = await resolve(context.client(), resource, wish);
      const what = `${resource.noun} ${id}`;
      const again = `Come back with: arcus ${resource.noun} wait ${id} --for ${condition}`;
      const seen = await interruptible(
        (signal) => waited(context, { resource, waitable, id, wanted, timeout, signal, again }),
        () => new Complaint('detached', `No longer waiting for ${what}; what goes on there goes on.`, { next: again }),
      );
      const sentence = wanted === 'deleted' ? `${what} is gone.` : `${what} is ${wanted}.`;
      report(context, sentence, seen ?? { id });
    },
  });

function wantedBy(condition: string, known: readonly string[]): string {
  if (condition === 'deleted') return condition;
  const [, state] = /^state=(\w+)$/.exec(condition) ?? [];
  if (state !== undefined && known.includes(state.toUpperCase())) return state.toUpperCase();
  throw new Complaint('usage', `--for: ${JSON.stringify(condition)} cannot be waited for.`, {
    next: `Write deleted, or state= and one of ${known.join(', ')}.`,
  });
}

/** The object as it was answered when what is waited for had come; null: it is gone. */
async function waited<L extends z.ZodType<{ id: number; name: string }>, S extends z.ZodType>(
  context: Context,
  wait: {
    resource: Resource<L, S>;
    waitable: Waitable<S>;
    id: number;
    wanted: string;
    timeout: number | undefined;
    signal: AbortSignal;
    again: string;
  },
): Promise<unknown> {
  const { resource, waitable, id, wanted, timeout, signal, again } = wait;
  const what = `${resource.noun} ${id}`;
  const began = context.now().getTime();
  let told: string | null = null;
  let silentSince: number | null = null;
  for (;;) {
    const left = timeout === undefined ? within : timeout - (context.now().getTime() - began);
    const answer = await look(context, resource, id, {
      signal,
      within: Math.max(shortestPause, Math.min(within, left)),
    });
    const now = context.now().getTime();
    if (answer instanceof Complaint) {
      if (silentSince === null) context.err(`${answer.message} Waiting for the server.`);
      silentSince ??= now;
      if (now - silentSince > patience)
        throw new Complaint('unreachable', answer.message, { cause: answer.cause, next: again });
    } else {
      silentSince = null;
      // What was never there is a slip of the pen, unless it is to be gone.
      if (answer === null && told === null && wanted !== 'deleted')
        throw new Complaint('not_found', `There is no ${what}.`, {
          next: `List what there is with: arcus ${resource.noun} list`,
        });
      const outcome = outcomeOf<S>(answer?.value ?? null, wanted, waitable);
      if ('never' in outcome)
        throw new Complaint('failure', `${what} will not be ${wanted}: ${printable(outcome.never)}.`, {
          next: `See more with: arcus ${resource.noun} ${answer === null ? 'list' : `why ${id}`}`,
        });
      if (outcome.come) return answer?.raw ?? null;
      if (outcome.at !== told) context.err(`${what} is ${outcome.at}; waiting for ${wanted}.`);
      told = outcome.at;
    }
    if (timeout !== undefined && now - began >= timeout)
      throw new Complaint(
        'timeout',
        `${what} is not ${wanted} after ${timeout / 1000} s${told === null ? '' : `, but ${told}`}.`,
        {
          next: again,
        },
      );
    const rest = timeout === undefined ? longestPause : timeout - (now - began);
    await sleep(Math.min(longestPause, rest, shortestPause + (now - began) / 10), undefined, { signal });
  }
}

/** The object; null when it is gone; or why the server does not tell. */
async function look<L extends z.ZodType<{ id: number; name: string }>, S extends z.ZodType>(
  context: Context,
  { path, whole }: Resource<L, S>,
  id: number,
  manner: { signal: AbortSignal; within: number },
): Promise<{ value: z.output<S>; raw: unknown } | null | Complaint> {
  try {
    return await context.client().get(`${path}/${id}`, whole, manner);
  } catch (error) {
    if (error instanceof Complaint && error.exit === 'not_found') return null;
    if (error instanceof Complaint && error.exit === 'unreachable') return error;
    throw error;
  }
}
