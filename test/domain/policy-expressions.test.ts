import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCondition, parseTarget, readingsOf } from '../../domain/expressions/policy-parse.js';
import { printCondition } from '../../domain/expressions/policy-print.js';
import type { Condition } from '../../domain/expressions/policy-syntax.js';

const read = (text: string): string => {
  const parsed = parseCondition(text);
  return parsed.ok
    ? printCondition(parsed.value)
    : `${parsed.fault.line}:${parsed.fault.column} ${parsed.fault.detail}`;
};

describe('the expression of a policy', () => {
  it.each([
    ['ATT > 50', 'ATT > 50'],
    // The guide's own, 1.4.5.
    ['(ATT > 50) && !(OTHER_ATT = 5.5 || ABC <= 30)', 'ATT > 50 & !(OTHER_ATT = 5.5 | ABC <= 30)'],
    ['A=0 && B=1 || C=1', '(A = 0 & B = 1) | C = 1'],
    ['A=0 || B=1 && C=1', 'A = 0 | (B = 1 & C = 1)'],
    ['!A>1 && B>1', '!(A > 1) & B > 1'],
    ['!!(a<>1)', '!!(A != 1)'],
    ['max(CPU) > 90 | P95( NETTX )>=1e6', 'max(CPU) > 90 | p95(NETTX) >= 1000000'],
    ['"ATT" == \'B\'', 'ATT = B'],
    ['-1 < MAX', '-1 < MAX'],
    ['A\n\t>\r\n1', 'A > 1'],
  ])('%s is read as %s', (text, printed) => {
    expect(read(text)).toBe(printed);
  });

  it.each([
    ['', '1:1 expected an attribute, a number, ! or (, but found the end'],
    ['ATT', '1:4 expected a comparison: =, !=, <, <=, > or >=, but found the end'],
    ['ATT > 50 AND B < 1', '1:10 expected &, | or the end, but found AND'],
    ['(ATT > 50\n  | B', '2:6 expected a comparison: =, !=, <, <=, > or >=, but found the end'],
    ['(ATT > 50', '1:10 expected &, | or ), but found the end'],
    ['ATT > 5x', '1:7 expected an attribute or a number, but found 5'],
    ['ATT > 1e999', '1:7 expected an attribute or a number, but found 1e999'],
    ['median(CPU) > 5', '1:1 median(…) is none of avg, min, max, sum, p95'],
    ['max(5) > 5', '1:5 expected an attribute, but found 5'],
    ['ATT + 1 > 5', '1:5 expected a comparison: =, !=, <, <=, > or >=, but found +'],
    ['ÄTT > 1', '1:1 expected an attribute, a number, ! or (, but found Ä'],
    [`${'('.repeat(40)}A>1`, '1:33 has more than 32 levels of brackets and !'],
    [`${'!'.repeat(2_001)}`, '1:2001 is longer than 2000 characters'],
  ])('%j is refused: %s', (text, fault) => {
    expect(read(text)).toBe(fault);
  });

  it('is read in no time, however it was made to be hard', () => {
    for (const text of ['A<1&'.repeat(500), `${'(A<1|'.repeat(31)}`, `${'a'.repeat(1_999)}(`, '1'.repeat(2_000)])
      expect(parseCondition(text).ok).toBe(false);
    expect(parseCondition(`${'A<1&'.repeat(499)}A<1`).ok).toBe(true);
    expect(readingsOf(`${'!A<1|'.repeat(399)}A<1`)).not.toBeNull();
  });

  it.each([
    ['A=0 && B=1 || C=1', '(A = 0 & B = 1) | C = 1', 'A = 0 & (B = 1 | C = 1)'],
    ['!A>1 && B>1', '!(A > 1) & B > 1', '!(A > 1 & B > 1)'],
    ['(!A>1 | B>1) & C=1', '(!(A > 1) | B > 1) & C = 1', '!(A > 1 | B > 1) & C = 1'],
  ])('%s warns: OneFlow reads it otherwise', (text, here, oneFlow) => {
    expect(readingsOf(text)).toEqual({ here, oneFlow });
  });

  it.each(['A=0 || B=1 && C=1', 'A>1 & B>1 & C>1', '(A>1 & B>1) | C>1', 'A>1 & !(B>1)', 'A >', '!A>1'])(
    '%s warns of nothing',
    (text) => {
      expect(readingsOf(text)).toBeNull();
    },
  );

  const comparison: fc.Arbitrary<Condition> = fc
    .record({
      name: fc.constantFrom('A', 'CPU', 'X_1'),
      aggregate: fc.constantFrom('avg', 'min', 'max', 'sum', 'p95'),
      op: fc.constantFrom('=', '!=', '<', '<=', '>', '>='),
      value: fc.integer({ min: -99, max: 99 }),
    } as const)
    .map(({ name, aggregate, op, value }) => ({
      ...{ kind: 'compare' as const, op, right: { kind: 'number' as const, value } },
      left: { kind: 'measure' as const, name, aggregate, said: true },
    }));
  const condition = fc.letrec<{ any: Condition }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      comparison,
      tie('any').map((of): Condition => ({ kind: 'not', of })),
      fc
        .tuple(fc.constantFrom('and', 'or'), fc.array(tie('any'), { minLength: 2, maxLength: 3 }))
        .map(([kind, of]): Condition => ({ kind, of })),
    ),
  })).any;

  it('that is printed with its brackets is read as it was', () => {
    fc.assert(
      fc.property(condition, (one) => {
        const text = printCondition(one);
        expect(read(text)).toBe(text);
      }),
    );
  });
});

describe('a target', () => {
  it.each(['CPU = 60', 'avg(CPU)=60', 'max(REQUESTS) == 0.5'])('%s is one', (text) => {
    expect(parseTarget(text).ok).toBe(true);
  });

  it.each([
    ['CPU > 60', 'must be an attribute, = and a number, such as CPU = 60'],
    ['60 = CPU', 'must be an attribute, = and a number, such as CPU = 60'],
    ['CPU = 60 | A = 1', 'must be an attribute, = and a number, such as CPU = 60'],
    ['CPU = 0', 'must be a number above 0'],
    ['sum(CPU) = 60', 'sum(CPU) does not change with the number of VMs; CPU alone is what each has of it'],
    ['CPU', 'expected a comparison: =, !=, <, <=, > or >=, but found the end'],
  ])('%s is none: %s', (text, detail) => {
    expect(parseTarget(text)).toMatchObject({ ok: false, fault: { detail } });
  });
});
