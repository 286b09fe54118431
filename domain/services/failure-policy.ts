import type { FailurePolicy } from '../../schemas/services/service-template.js';

/** How many rounds of a role's failure policy are used up. */
export type Rounds = { retries: number; replacements: number };

/** What is done next about VMs that failed to deploy; `used` counts this round, `seconds` is the wait before it. */
export type Round =
  | { do: 'retry' | 'replace'; used: Rounds; seconds: number }
  /** Nothing failed, or no round is left. */
  | { do: 'finish' };

export const noRounds: Rounds = { retries: 0, replacements: 0 };

const longest = 30;

/** One second before the first round of a kind, twice as long before each that follows, 30 s at most. */
const backOff = (before: number): number => Math.min(longest, 2 ** before);

/** First the retries, then the replacements, each as often as the policy says. `failed`: VMs that do not run. */
export function nextRound({ retries, replacements }: FailurePolicy, used: Rounds, failed: number): Round {
  if (failed === 0) return { do: 'finish' };
  if (used.retries < retries)
    return { do: 'retry', used: { ...used, retries: used.retries + 1 }, seconds: backOff(used.retries) };
  if (used.replacements < replacements)
    return {
      do: 'replace',
      used: { ...used, replacements: used.replacements + 1 },
      seconds: backOff(used.replacements),
    };
  return { do: 'finish' };
}
