import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from './command.js';
import { Complaint, Interrupted } from './complaint.js';
import { interruptible } from './interruptible.js';
import type { Screen } from './screen.js';

/** How long a server may be silent while somebody watches: time to be started again. */
const patience = 60_000;

/**
 * Calls `look` again and again, `pause` milliseconds apart, until the signal is aborted. A server that is away is waited
 * for: `silent` is told why, once each time, and then that it answers again.
 */
export async function lookAgain(
  context: Pick<Context, 'now'>,
  { pause, signal, silent }: { pause: number; signal: AbortSignal; silent: (why: string | null) => void },
  look: () => Promise<void>,
): Promise<never> {
  let silentSince: number | null = null;
  for (;;) {
    try {
      await look();
      if (silentSince !== null) silent(null);
      silentSince = null;
    } catch (error) {
      if (!(error instanceof Complaint && error.exit === 'unreachable') || signal.aborted) throw error;
      if (silentSince === null) silent(error.message);
      silentSince ??= context.now().getTime();
      if (context.now().getTime() - silentSince > patience) throw error;
    }
    await sleep(pause, undefined, { signal });
  }
}

/** Draws what `look` tells on the whole screen until q or Ctrl-C; the last of it stays where people were before. */
export async function drawLive(
  context: Context,
  screen: Screen,
  { title, pause }: { title: string; pause: number },
  look: (signal: AbortSignal) => Promise<string>,
): Promise<void> {
  const keys = new AbortController();
  let quit = false;
  let text = '';
  let silence: string | null = null;
  const draw = (): void => {
    const time = context.now().toISOString().slice(11, 19);
    screen.draw(`${title} · ${time} UTC · q leaves\n${silence ?? ''}\n${text}`);
  };
  screen.open((key) => {
    quit ||= key === 'q';
    if (key === 'q' || key === '\u0003') keys.abort();
  });
  try {
    await interruptible(
      (interrupt) => {
        const signal = AbortSignal.any([interrupt, keys.signal]);
        const silent = (why: string | null): void => {
          silence = why;
          draw();
        };
        return lookAgain(context, { pause, signal, silent }, async () => {
          text = await look(signal);
          draw();
        });
      },
      () => new Interrupted(),
    );
  } catch (error) {
    if (quit) return;
    throw keys.signal.aborted ? new Interrupted() : error;
  } finally {
    screen.close();
    if (text !== '') context.out(text);
  }
}
