import { setTimeout as sleep } from 'node:timers/promises';
import { OperationResource } from '../schemas/operation.js';
import type { Answer } from './api-client.js';
import type { Context } from './command.js';
import { Complaint } from './complaint.js';
import { rawText } from './output.js';

const pause = 300;
/** How long a server may be silent while somebody waits: time to be started again. */
const patience = 60_000;
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
 * Polls until the operation has ended, over a restart of the server too. Ctrl-C detaches: the operation goes on. Throws a
 * Complaint when it ended badly.
 */
export async function waitFor(context: Context, id: string): Promise<void> {
  const interrupt = new AbortController();
  const detach = () => interrupt.abort();
  process.once('SIGINT', detach);
  try {
    let said: string | null = null;
    let silentSince: number | null = null;
    for (;;) {
      const answer = await context
        .client()
        .get(`/operations/${encodeURIComponent(id)}`, OperationResource)
        .catch((error: unknown) => {
          const now = context.now().getTime();
          silentSince ??= now;
          if (!(error instanceof Complaint) || error.exit !== 'unreachable' || now - silentSince > patience)
            throw error;
          return null;
        });
      if (answer) {
        silentSince = null;
        if (ended.has(answer.value.state)) return conclude(context, answer);
      }
      const news = answer ? answer.value.waiting_for : 'the server, which does not answer';
      if (news !== null && news !== said) context.err(`Waiting for ${news}.`);
      said = news;
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
