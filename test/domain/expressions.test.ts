import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateRank, judge, type Verdict } from '../../domain/expressions/evaluate.js';
import { matchesGlob } from '../../domain/expressions/glob.js';
import { parseRank, parseRequirement, twoReadings } from '../../domain/expressions/parse.js';
import { printRank, printRequirement } from '../../domain/expressions/print.js';
import type { AttributeValue, Comparison, Rank, Requirement } from '../../domain/expressions/syntax.js';

const host: Record<string, AttributeValue> = {
  ...{ CLUSTER_ID: 0, HYPERVISOR: 'kvm', FREE_MEMORY: 4096, CPUSPEED: '2600', RACK: 'b-12', NAME: 'host/3' },
  ...{ 'CLUSTERS/ID': [0, 100], TAG: ['ssd', 'gpu'], EMPTY: [] },
};
const lookup = (name: string): AttributeValue | undefined => host[name];

function judged(text: string) {
  const parsed = parseRequirement(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  const { verdict, deciders } = judge(parsed.value, lookup);
  const reasons = deciders.map(({ text: said, value }) => (value === null ? said : `${said} (${value})`));
  return { verdict, because: reasons.join('; ') };
}
const faultOf = (text: string) => {
  const parsed = parseRequirement(text);
  return parsed.ok ? undefined : parsed.fault;
};
const ranked = (text: string): number => {
  const parsed = parseRank(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  return evaluateRank(parsed.value, lookup);
};

const anyName = fc.oneof(fc.constantFrom('A', 'B', 'CLUSTERS/ID', 'with "quotes" \\ and blanks'), fc.string());
const anyNumber = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
);
const anyComparison: fc.Arbitrary<Comparison> = fc.oneof(
  fc.record({
    kind: fc.constant('compare' as const),
    name: anyName,
    op: fc.constantFrom('=' as const, '!=' as const, '@>' as const),
    value: fc.oneof(anyNumber, fc.string()),
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    name: anyName,
    op: fc.constantFrom('<' as const, '>' as const),
    value: anyNumber,
  }),
);
const { requirement: anyRequirement } = fc.letrec<{ requirement: Requirement }>((tie) => ({
  requirement: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    anyComparison,
    fc.record({ kind: fc.constant('not' as const), of: tie('requirement') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('requirement'), { minLength: 2, maxLength: 4 }),
    }),
  ),
}));
const { rank: anyRank } = fc.letrec<{ rank: Rank }>((tie) => ({
  rank: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('number' as const), value: anyNumber.map(Math.abs) }),
    fc.record({ kind: fc.constant('name' as const), name: anyName }),
    fc.record({ kind: fc.constant('negate' as const), of: tie('rank') }),
    fc.record({
      kind: fc.constant('arithmetic' as const),
      op: fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const),
      left: tie('rank'),
      right: tie('rank'),
    }),
  ),
}));
const anyHost = fc.dictionary(
  fc.constantFrom('A', 'B', 'CLUSTERS/ID'),
  fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom('', 'x', '1'), fc.array(fc.integer({ min: 0, max: 2 }))),
);

describe('the parser', () => {
  it('is the one that its grammar makes', () => {
    const made = mkdtempSync(join(tmpdir(), 'arcus-parser-'));
    try {
      execFileSync(process.execPath, ['.ci/write-parser.mjs', made]);
      for (const name of ['grammar.js', 'grammar.d.ts'])
        expect(readFileSync(join(made, name), 'utf8'), 'run: node .ci/write-parser.mjs').toBe(
          readFileSync(join('domain', 'expressions', name), 'utf8'),
        );
    } finally {
      rmSync(made, { recursive: true, force: true });
    }
  });

  it('reads back every requirement and rank that is printed', () => {
    fc.assert(
      fc.property(anyRequirement, (requirement) => {
        const text = printRequirement(requirement);
        fc.pre(text.length <= 2_000);
        expect(parseRequirement(text)).toEqual({ ok: true, value: requirement });
      }),
    );
    fc.assert(
      fc.property(anyRank, (rank) => {
        const text = printRank(rank);
        fc.pre(text.length <= 2_000);
        expect(parseRank(text)).toEqual({ ok: true, value: rank });
      }),
    );
  });

  it('answers for any text, and what it takes it prints as the same', () => {
    const tokens = fc
      .array(
        fc.constantFrom('A', '"b c"', '=', '!=', '<', '>', '@>', '1', '-2.5', '&', '|', '!', '(', ')', '+', '*', ' '),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), tokens), (text) => {
        const requirement = parseRequirement(text);
        if (requirement.ok) expect(parseRequirement(printRequirement(requirement.value))).toEqual(requirement);
        const rank = parseRank(text);
        if (rank.ok) expect(Number.isFinite(evaluateRank(rank.value, lookup))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['CLUSTER_ID = 100 &', 1, 19, /expected .*"\(".* but end of input found/],
    ['CLUSTER_ID == 100', 1, 13, /expected .*a number.* but "=" found/],
    ['FREE_MEMORY > "lots"', 1, 15, /expected a number but "\\"" found/],
    ['A = 1\n& B = 2)', 2, 8, /but "\)" found/],
    ['A = "never closed', 1, 5, /expected/],
    ['A = 1e999', 1, 5, /expected/],
    [`${'('.repeat(33)}A = 1${')'.repeat(33)}`, 1, 33, /more than 32 levels/],
    [`A = "${'x'.repeat(2_000)}"`, 1, 2_001, /longer than 2000 characters/],
  ])('refuses %s with the place', (text, line, column, detail) => {
    expect(faultOf(text)).toEqual({ line, column, detail: expect.stringMatching(detail) });
  });

  it('lets & bind tighter than |, and says where OpenNebula reads otherwise', () => {
    expect(twoReadings('CLUSTER_ID = 100 & !(HYPERVISOR = "kvm") | FREE_MEMORY > 2048')).toBeNull();
    expect(twoReadings('A = 1 | B = 2 & C = 3')).toEqual({
      here: 'A = 1 | (B = 2 & C = 3)',
      openNebula: '(A = 1 | B = 2) & C = 3',
    });
    expect(twoReadings('(A = 1 | B = 2) & C = 3')).toBeNull();
    expect(twoReadings('A = 1 | (B = 2 & C = 3)')).toBeNull();
    expect(twoReadings('A = 1 | B = 2 | C = 3 & (D = 4)')?.openNebula).toBe('(A = 1 | B = 2 | C = 3) & D = 4');
    expect(twoReadings('!(A = 1 | B = 2 & C = 3)')).not.toBeNull();
    expect(twoReadings('')).toBeNull();
  });
});

describe('a requirement', () => {
  it.each<[string, Verdict, string]>([
    ['', true, ''],
    ['CLUSTER_ID = 0', true, 'CLUSTER_ID = 0 is true (0)'],
    ['CLUSTER_ID = 100', false, 'CLUSTER_ID = 100 is false (0)'],
    ['CLUSTER_ID != 100', true, 'CLUSTER_ID != 100 is true (0)'],
    ['HYPERVISOR = kvm', true, 'HYPERVISOR = "kvm" is true (kvm)'],
    ['HYPERVISOR = "k*"', true, 'HYPERVISOR = "k*" is true (kvm)'],
    ['NAME = "host*3"', true, 'NAME = "host*3" is true (host/3)'],
    ['!(HYPERVISOR = "kvm")', false, '!(HYPERVISOR = "kvm") is false (kvm)'],
    ['FREE_MEMORY > 2048', true, 'FREE_MEMORY > 2048 is true (4096)'],
    ['FREE_MEMORY < "2048"', false, 'FREE_MEMORY < 2048 is false (4096)'],
    ['CPUSPEED > 2500.5', true, 'CPUSPEED > 2500.5 is true (2600)'],
    ['CPUSPEED = "2600"', true, 'CPUSPEED = "2600" is true (2600)'],
    ['"CLUSTERS/ID" @> 100', true, '"CLUSTERS/ID" @> 100 is true (0, 100)'],
    ['TAG @> "g?u"', true, 'TAG @> "g?u" is true (ssd, gpu)'],
    ['TAG = gpu', false, 'TAG = "gpu" is false (ssd, gpu)'],
    ['MISSING != 5', null, 'has no attribute MISSING'],
    ['!(MISSING = 5)', null, 'has no attribute MISSING'],
    ['EMPTY = 5', null, 'has no attribute EMPTY'],
    ['RACK > 5', null, 'RACK > 5 compares a number with a text (b-12)'],
    ['CLUSTER_ID = 0 & MISSING = 1', null, 'has no attribute MISSING'],
    ['MISSING = 1 & CLUSTER_ID = 9', false, 'CLUSTER_ID = 9 is false (0)'],
    ['MISSING = 1 | CLUSTER_ID = 0', true, 'CLUSTER_ID = 0 is true (0)'],
    ['CLUSTER_ID = 1 | CLUSTER_ID = 2', false, 'CLUSTER_ID = 1 is false (0); CLUSTER_ID = 2 is false (0)'],
    ['CLUSTER_ID = 1 & HYPERVISOR = kvm | RACK = "b-*"', true, 'RACK = "b-*" is true (b-12)'],
  ])('%s is %s', (text, verdict, because) => {
    expect(judged(text)).toEqual({ verdict, because });
  });

  it('keeps the laws of three-valued logic', () => {
    const verdictOf = (requirement: Requirement, of: Record<string, AttributeValue>) =>
      judge(requirement, (name) => of[name]).verdict;
    const not = (of: Requirement): Requirement => ({ kind: 'not', of });
    const both = (...of: Requirement[]): Requirement => ({ kind: 'and', of });
    const either = (...of: Requirement[]): Requirement => ({ kind: 'or', of });
    fc.assert(
      fc.property(anyRequirement, anyRequirement, anyRequirement, anyHost, (a, b, c, of) => {
        const same = (one: Requirement, other: Requirement) => expect(verdictOf(one, of)).toBe(verdictOf(other, of));
        same(not(not(a)), a);
        same(both(a, b), both(b, a));
        same(either(a, b), either(b, a));
        same(both(a, a), a);
        same(both(a, both(b, c)), both(a, b, c));
        same(not(both(a, b)), either(not(a), not(b)));
        same(not(either(a, b)), both(not(a), not(b)));
        same(both(a, either(b, c)), either(both(a, b), both(a, c)));
        same(both(a, either(a, b)), a);
        expect(judge(a, (name) => of[name]).deciders.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('a rank', () => {
  it.each([
    ['', 0],
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['10 - 2 - 3', 5],
    ['2 * -3', -6],
    ['--FREE_MEMORY', 4096],
    ['- RUNNING_VMS', 0],
    ['FREE_MEMORY / 2 + MISSING', 2048],
    ['CPUSPEED', 2600],
    ['RACK', 0],
    ['1 / MISSING', 0],
    ['"CLUSTERS/ID" + 1', 1],
  ])('%s counts %d', (text, value) => {
    expect(ranked(text) + 0).toBe(value);
  });
});

describe('a pattern', () => {
  it.each([
    ['*', '', true],
    ['', '', true],
    ['a*b*c', 'a/b/c', true],
    ['a*b', 'abc', false],
    ['?', '', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[]]', ']', true],
    ['[a', '[a', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    [`${'*a'.repeat(500)}b`, 'a'.repeat(1_000), false],
  ])('%s against %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });
});
