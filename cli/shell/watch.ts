import type { Context } from './command.js';
import { Interrupted } from './complaint.js';
import { interruptible } from './interruptible.js';
import { drawLive, lookAgain } from './live.js';

/** Milliseconds between two looks. */
const pause = 1000;

/** What one look has seen: all of it, and its parts, each told anew when its `mark` has changed. */
export type Seen = { whole: string; head?: string; parts: readonly { key: string; mark: string; text: string }[] };

/** What is watched as one: told anew as a whole. */
export const one = (text: string, mark = text): Seen => ({ whole: text, parts: [{ key: '', mark, text }] });

export const watchOption = ['-w, --watch', 'go on showing it as it changes; q or Ctrl-C leaves'] as const;

/**
 * Shows what `look` sees, again and again: drawn over on a terminal, else what has changed added below. `gone` tells what
 * has become of a part that is no longer there; null, when there is nothing to tell.
 */
export async function watch(
  context: Context,
  title: string,
  look: (signal: AbortSignal) => Promise<Seen>,
  gone: (key: string, signal: AbortSignal) => Promise<string | null> = async () => null,
): Promise<void> {
  const { screen } = context;
  if (screen) return drawLive(context, screen, { title, pause }, async (signal) => (await look(signal)).whole);
  const told = new Map<string, string>();
  let isFirst = true;
  const append = async (signal: AbortSignal): Promise<void> => {
    const { head, parts } = await look(signal);
    if (isFirst && head !== undefined) context.out(head);
    isFirst = false;
    for (const { key, mark, text } of parts) {
      if (told.get(key) !== mark) context.out(text);
      told.set(key, mark);
    }
    for (const key of [...told.keys()].filter((known) => !parts.some((part) => part.key === known))) {
      told.delete(key);
      const end = await gone(key, signal);
      if (end !== null) context.out(end);
    }
  };
  await interruptible(
    (signal) => lookAgain(context, { pause, signal, silent: (why) => context.err(silence(why)) }, () => append(signal)),
    () => new Interrupted(),
  );
}

const silence = (why: string | null): string =>
  why === null ? 'The server answers again.' : `${why} Waiting for the server.`;
