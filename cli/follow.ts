import { setTimeout as sleep } from 'node:timers/promises';
import { OperationResource } from '../schemas/operation.js';
import type { Answer } from './api-client.js';
import type { Context } from './command.js';
import { Complaint } from './complaint.js';
import { rawText } from './output.js';

const pause = 300;
const ended = new Set<OperationResource['state']>(['succeeded', 'failed', 'cancelled']);

/** What a command that starts an operation prints: at once, or when it has ended. */
export async function reportOperation(
  context: Context,
  accepted: Answer<OperationResource>,
  { wait }: { wait?: boolean | undefined },
): Promise<void> {
  if (!wait) {
    if (context.format === 'table') context.out(`${sentenceOf(accepted.value)}.`);
    else context.out(rawText(context.format, accepted.raw));
    return;
  }
  context.err(`${sentenceOf(accepted.value)}; waiting for its end.`);
  await waitFor(context, accepted.value.id);
}

/**
 * Polls until the operation has ended. Ctrl-C detaches: the operation goes on. Throws a Complaint when it ended badly.
 */
export async function waitFor(context: Context, id: string): Promise<void> {
  const interrupt = new AbortController();
  const detach = () => interrupt.abort();
  process.once('SIGINT', detach);
  try {
    let said: string | null = null;
    for (;;) {
      const answer = await context.client().get(`/operations/${encodeURIComponent(id)}`, OperationResource);
      const { state, waiting_for } = answer.value;
      if (ended.has(state)) return conclude(context, answer);
      if (waiting_for !== null && waiting_for !== said) context.err(`Waiting for ${waiting_for}.`);
      said = waiting_for;
      await sleep(pause, undefined, { signal: interrupt.signal }).catch(() => {});
      if (interrupt.signal.aborted) {
        throw new Complaint('detached', `Detached; operation ${id} goes on.`, {
          next: `Come back with: arcus operation wait ${id}`,
        });
      }
    }
  } finally {
    process.off('SIGINT', detach);
  }
}

function conclude(context: Context, { value, raw }: Answer<OperationResource>): void {
  if (context.format !== 'table') context.out(rawText(context.format, raw));
  const { state, type, resource, error } = value;
  const what = `${type} of ${resource.type} ${resource.id} (${resource.name})`;
  if (state === 'succeeded') {
    if (context.format === 'table') context.out(`${what} succeeded.`);
    return;
  }
  throw new Complaint('failure', `${what} ${state}: ${error?.detail ?? 'no reason is known'}`, {
    next: `See more with: arcus ${resource.type} show ${resource.id}`,
  });
}

const sentenceOf = ({ type, resource, id }: OperationResource): string =>
  `${resource.type} ${resource.id} (${resource.name}): ${type} accepted as operation ${id}`;
