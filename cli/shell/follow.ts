import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../../client/client.js';
import { printable } from '../../schemas/common/printable.js';
import type { OperatedKind } from '../../schemas/kinds.js';
import { OperationDetail, type OperationResource } from '../../schemas/operations/operation-resource.js';
import { milestoneLine, milestoneOf, newsOf, progressLine, subjectOf } from '../operations/operation-progress.js';
import { actionLines } from './action-lines.js';
import type { Context } from './command.js';
import { Complaint } from './complaint.js';
import { interruptible } from './interruptible.js';
import { rawText } from './output.js';

/** Milliseconds between two looks: short at first, for what takes half a second; long for what takes minutes. */
const shortestPause = 100;
const longestPause = 1000;
/** How long a server may be silent while somebody waits: time to be started again. */
const patience = 60_000;
/** How long one look may take: one that is lost must not hide that the server is back. */
const within = 15_000;

/** The end that is waited for: another one is a failure. */
export type Wish = 'succeeded' | 'cancelled' | 'failed';

/** What a command that starts an operation prints: at once, or when it has ended. */
export async function reportOperation(
  context: Context,
  accepted: Answer<OperationResource>,
  { wait, wish, said }: { wait?: boolean | undefined; wish?: Wish; said?: string },
): Promise<void> {
  const { id, type, resource } = accepted.value;
  const sentence = said ?? `${resource.type} ${resource.id} (${resource.name}): ${type} accepted as operation ${id}`;
  if (wait) return waitFor(context, id, wish, `${sentence}; waiting for its end.`);
  if (context.format === 'table') context.out(`${sentence}.`);
  else context.out(rawText(context.format, accepted.raw));
}

/**
 * Shows an operation's progress until it has ended, over a restart of the server too. Ctrl-C detaches: the operation goes
 * on. Throws a Complaint when it ended otherwise than wished, or when it waits for a person.
 */
export async function waitFor(
  context: Context,
  id: string,
  wish: Wish = 'succeeded',
  announcement?: string,
): Promise<void> {
  conclude(context, await follow(context, id, announcement), wish);
}

/**
 * The same for whoever tells the end himself: the operation when it has ended, however, or waits for a person. What is
 * announced is so when Ctrl-C already detaches: whoever reads it may press it at once.
 */
export async function follow(context: Context, id: string, announcement?: string): Promise<Answer<OperationDetail>> {
  try {
    return await interruptible(
      (signal) => {
        if (announcement !== undefined) context.err(announcement);
        return watch(context, id, signal);
      },
      () => new Complaint('detached', `Detached; operation ${id} goes on.`, { next: comeBack(id) }),
    );
  } finally {
    context.terminal?.clear();
  }
}

const comeBack = (id: string): string => `Come back with: arcus operation wait ${id}`;

/** Looks until the operation has ended or asks a person, telling what is new. */
async function watch(context: Context, id: string, signal: AbortSignal): Promise<Answer<OperationDetail>> {
  const tell = narrator(context);
  const began = context.now().getTime();
  let silentSince: number | null = null;
  for (;;) {
    const answer = await look(context, id, signal);
    const now = context.now().getTime();
    if (answer instanceof Complaint) {
      silentSince ??= now;
      if (now - silentSince > patience)
        throw new Complaint('unreachable', answer.message, { cause: answer.cause, next: comeBack(id) });
      tell.silence(answer);
    } else {
      silentSince = null;
      const { state } = answer.value;
      if (state === 'waiting_for_you' || hasEnded(state)) return answer;
      tell.progress(answer.value);
    }
    await sleep(Math.min(longestPause, shortestPause + (now - began) / 10), undefined, { signal });
  }
}

const hasEnded = (state: OperationDetail['state']): boolean => ['succeeded', 'failed', 'cancelled'].includes(state);

/** The operation, or why the server does not tell. */
async function look(context: Context, id: string, signal: AbortSignal): Promise<Answer<OperationDetail> | Complaint> {
  const path = `/operations/${encodeURIComponent(id)}`;
  try {
    return await context.client().get(path, OperationDetail, { signal, within });
  } catch (error) {
    if (error instanceof Complaint && error.exit === 'unreachable') return error;
    throw error;
  }
}

/** Tells each thing once: news for good, where it stands on the line of the terminal, or at milestones without one. */
function narrator({ terminal, err, now }: Context) {
  const told = new Set<string>();
  let milestone: string | null = null;
  let silent = false;
  const once = (key: string, text: string): void => {
    if (!told.has(key)) err(printable(text));
    told.add(key);
  };
  return {
    progress(detail: OperationDetail): void {
      const at = now();
      if (silent) err('The server answers again.');
      silent = false;
      for (const { key, text } of newsOf(detail, at, { everyTry: terminal === null })) once(key, text);
      if (terminal) terminal.draw(printable(progressLine(detail, at)));
      else if (milestone !== milestoneOf(detail)) err(printable(milestoneLine(detail, at)));
      milestone = milestoneOf(detail);
    },
    silence({ message }: Complaint): void {
      if (!silent) err(`${message} Waiting for the server; the operation goes on without it.`);
      silent = true;
    },
  };
}

/** The command that tells more of what an operation has come to. */
const whyOf: Record<OperatedKind, (operation: OperationDetail) => string> = {
  service: ({ resource }) => `service why ${resource.id}`,
  vm: ({ resource }) => `vm why ${resource.id}`,
  host: ({ resource }) => `host why ${resource.id}`,
  image: ({ resource }) => `image why ${resource.id}`,
  app: ({ resource }) => `app why ${resource.id}`,
  zone: ({ id }) => `operation why ${id}`,
};

function conclude(context: Context, { value, raw }: Answer<OperationDetail>, wish: Wish): void {
  if (context.format !== 'table') context.out(rawText(context.format, raw));
  const { state, resource, error } = value;
  const subject = subjectOf(value);
  if (state === 'waiting_for_you') throw question(value, context.terminal?.width() ?? null);
  if (state === wish) {
    const more = goOn(value).map((text) => ` ${text}`);
    if (context.format === 'table')
      context.out(`${subject} ${state}${wish === 'failed' ? ', as you asked' : ''}.${more.join('')}`);
    return;
  }
  const next = `See more with: arcus ${whyOf[resource.type](value)}`;
  if (state === 'succeeded')
    throw new Complaint('conflict', `${subject} had succeeded before it could be stopped.`, { next });
  if (state === 'cancelled' && error?.detail === state)
    throw new Complaint('failure', [`${subject} was cancelled.`, ...goOn(value)].join(' '), { next });
  throw new Complaint('failure', `${subject} ${state}: ${error?.detail ?? 'no reason is known'}`, { next });
}

/** Of a flush that was cancelled: the migrations that it has asked for, which do not end with it. */
function goOn({ state, flushed }: OperationDetail): string[] {
  const moving =
    flushed?.vms.flatMap(({ outcome, operation }) => (outcome === 'moving' ? (operation ?? []) : [])) ?? [];
  if (state !== 'cancelled' || moving.length === 0) return [];
  const count = moving.length === 1 ? '1 migration goes on' : `${moving.length} migrations go on`;
  return [`${count}: arcus operation show ${moving.join(', ')}.`];
}

/** What an operation asks its person, with the commands that answer. */
function question(operation: OperationDetail, width: number | null): Complaint {
  const text = operation.question?.text ?? 'It does not say what for.';
  const answers = operation.actions.filter(({ name }) => operation.question?.answers.some((answer) => answer === name));
  return new Complaint('asks', `${subjectOf(operation)} waits for you. ${text}`, {
    next:
      answers.length > 0
        ? `Answer with one of:\n${actionLines(answers, width)}`
        : `Somebody who may manage it must answer; see how with: arcus operation show ${operation.id}`,
  });
}
