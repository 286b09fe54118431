import { condition } from '@temporalio/workflow';
import { type News, roomForMore } from '../signals.js';

/** Without news, in milliseconds. */
const longestWait = 30_000;

/** Thrown by a wait that is over, and of which nothing has come. */
export class WaitedInVain extends Error {}

type Waiter<Found> = {
  its: { seen: number };
  until: number;
  resolve: (found: Found) => void;
  reject: (error: unknown) => void;
};

/**
 * Roles that wait for the same kind of fact look together: one timer and one step, however many they are. A waiter is made
 * before its role's first look, and waits for what was told since its last one, or 30 s: then whoever waits looks in any
 * case, so that a signal that was lost delays and does not hang. Whoever says until when it waits (milliseconds since 1970)
 * fails with WaitedInVain when that is over. `look` answers, by their place, those whose wait is over
 * or who have something to do; the others go on waiting.
 */
export function lookTogether<Fact, Found>(
  news: News<Fact>,
  look: (roles: string[], told: Fact | null) => Promise<(Found & { at: number })[]>,
): (role: string) => (until?: number) => Promise<Found> {
  const waiting = new Map<string, Waiter<Found>>();
  let isLooking = false;

  return (role) => {
    const its = { seen: news.count() };
    return (until = Number.POSITIVE_INFINITY) => {
      const found = new Promise<Found>((resolve, reject) => {
        waiting.set(role, { its, until, resolve, reject });
      });
      if (!isLooking) void lookUntilAllHaveFound();
      return found;
    };
  };

  async function lookUntilAllHaveFound(): Promise<void> {
    isLooking = true;
    try {
      while (waiting.size > 0) await lookOnce();
    } catch (error) {
      const all = [...waiting.values()];
      waiting.clear();
      for (const { reject } of all) reject(error);
    } finally {
      isLooking = false;
    }
  }

  async function lookOnce(): Promise<void> {
    await roomForMore();
    const isTold = await condition(() => hasNews(), Math.min(longestWait, Math.max(1, firstEnd() - Date.now())));
    const due = [...waiting].filter(([, { its }]) => !isTold || its.seen < news.count());
    const since = Math.min(...due.map(([, { its }]) => its.seen));
    const told = isTold ? news.since(since) : null;
    for (const [, { its }] of due) its.seen = news.count();
    const roles = due.map(([role]) => role);
    for (const found of await look(roles, told)) {
      const role = roles[found.at] ?? '';
      waiting.get(role)?.resolve(found);
      waiting.delete(role);
    }
    for (const [role, { until, reject }] of [...waiting]) {
      if (Date.now() < until) continue;
      waiting.delete(role);
      reject(new WaitedInVain(`role ${role} has waited for as long as it may`));
    }
  }

  function firstEnd(): number {
    return Math.min(...[...waiting.values()].map(({ until }) => until));
  }

  function hasNews(): boolean {
    for (const { its } of waiting.values()) if (its.seen < news.count()) return true;
    return false;
  }
}
