import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextRound, noRounds, type Round, type Rounds } from '../../../domain/services/failure-policy.js';
import type { FailurePolicy } from '../../../schemas/services/service-template.js';

const policy = (retries: number, replacements: number): FailurePolicy => ({ retries, replacements, finally: 'fail' });

/** Every round until none is left, when after the nth so many VMs still fail. */
function allRounds(of: FailurePolicy, failing: (nth: number) => number): Exclude<Round, { do: 'finish' }>[] {
  const rounds: Exclude<Round, { do: 'finish' }>[] = [];
  for (let used: Rounds = noRounds; ; ) {
    const round = nextRound(of, used, failing(rounds.length));
    if (round.do === 'finish') return rounds;
    rounds.push(round);
    used = round.used;
  }
}

const anyPolicy = fc
  .tuple(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 10 }))
  .map(([retries, replacements]) => policy(retries, replacements));

describe('the rounds of a failure policy', () => {
  it.each<[string, FailurePolicy, string[]]>([
    ['nothing is asked for', policy(0, 0), []],
    ['one retry is asked for', policy(1, 0), ['retry 1']],
    ['retries are asked for', policy(3, 0), ['retry 1', 'retry 2', 'retry 4']],
    ['a replacement is asked for', policy(0, 1), ['replace 1']],
    ['both are asked for', policy(2, 2), ['retry 1', 'retry 2', 'replace 1', 'replace 2']],
    ['many retries are', policy(7, 0), [1, 2, 4, 8, 16, 30, 30].map((seconds) => `retry ${seconds}`)],
  ])('when %s and the VMs go on failing', (_, of, expected) => {
    expect(allRounds(of, () => 1).map((round) => `${round.do} ${round.seconds}`)).toEqual(expected);
  });

  it('are as many as the policy says at most, retries before replacements, each wait 1 to 30 s', () => {
    fc.assert(
      fc.property(anyPolicy, fc.array(fc.nat(5)), (of, failing) => {
        const rounds = allRounds(of, (nth) => failing[nth] ?? 1);
        const kinds = rounds.map((round) => round.do);
        expect(kinds.filter((kind) => kind === 'retry').length).toBeLessThanOrEqual(of.retries);
        expect(kinds.filter((kind) => kind === 'replace').length).toBeLessThanOrEqual(of.replacements);
        expect(kinds).toEqual([...kinds].sort((a, b) => Number(a === 'replace') - Number(b === 'replace')));
        for (const { seconds } of rounds) expect(seconds).toBeGreaterThanOrEqual(1);
        for (const { seconds } of rounds) expect(seconds).toBeLessThanOrEqual(30);
      }),
    );
  });

  it('end as soon as nothing fails any more', () => {
    fc.assert(
      fc.property(anyPolicy, fc.nat(20), (of, mendedAfter) => {
        const rounds = allRounds(of, (nth) => (nth < mendedAfter ? 1 : 0));
        expect(rounds).toHaveLength(Math.min(mendedAfter, of.retries + of.replacements));
      }),
    );
  });

  it('count every round once, so that a run that goes on from the count has what is left', () => {
    fc.assert(
      fc.property(anyPolicy, (of) => {
        const rounds = allRounds(of, () => 1);
        rounds.forEach(({ used }, at) => {
          expect(used.retries + used.replacements).toBe(at + 1);
        });
        expect(rounds).toHaveLength(of.retries + of.replacements);
      }),
    );
  });
});
