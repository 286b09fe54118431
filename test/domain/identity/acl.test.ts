import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAcl, printAcl } from '../../../domain/identity/acl.js';
import { AclRight, type AclRule, ResourceType } from '../../../schemas/identity/acl.js';

const id = fc.nat({ max: 999_999_999 });
const some = <T>(all: readonly T[]) => fc.subarray([...all], { minLength: 1 });
const rules: fc.Arbitrary<AclRule> = fc.record({
  user: fc.oneof(
    fc.record({ kind: fc.constantFrom('user' as const, 'group' as const), id }),
    fc.constant({ kind: 'all' as const }),
  ),
  types: some(ResourceType.options),
  selector: fc.oneof(
    fc.record({ kind: fc.constantFrom('id' as const, 'group' as const, 'cluster' as const), id }),
    fc.constant({ kind: 'all' as const }),
  ),
  rights: some(AclRight.options),
  zone: fc.option(id),
});

describe('a rule in OpenNebula’s text', () => {
  it('is read part by part', () => {
    expect(parseAcl('#5 VM+DOCUMENT/@100 USE+MANAGE #0')).toEqual({
      ok: true,
      rule: {
        user: { kind: 'user', id: 5 },
        types: ['VM', 'DOCUMENT'],
        selector: { kind: 'group', id: 100 },
        rights: ['use', 'manage'],
        zone: 0,
      },
    });
  });

  it.each([
    ['  @1   VM/*  CREATE   * ', '@1 VM/* CREATE *'],
    ['* ZONE/* use', '* ZONE/* USE #0'],
    ['#0 NET+HOST/%7 ADMIN+USE #0', '#0 HOST+NET/%7 USE+ADMIN #0'],
    ['@100 USER/#3 MANAGE *', '@100 USER/#3 MANAGE *'],
  ])('%j is printed as %j', (text, printed) => {
    const parsed = parseAcl(text);
    expect(parsed.ok && printAcl(parsed.rule)).toBe(printed);
  });

  it.each([
    ['', /must be user, resources\/selector/],
    ['#5 VM/*', /must be user, resources\/selector/],
    ['#5 VM/* USE #0 more', /must be user, resources\/selector/],
    ['5 VM/* USE', /begin with a user .* not "5"/],
    ['#-5 VM/* USE', /begin with a user/],
    ['*5 VM/* USE', /begin with a user/],
    ['#5 VM USE', /with a \/ between/],
    ['#5 VM/*5 USE', /must select by .* not "\*5"/],
    ['#5 VM/#-1 USE', /must select by/],
    ['#5 VM/#1@2 USE', /must select by/],
    ['#5 VM+VMM/* USE', /"VMM", which is not a kind of resource: there are VM, HOST/],
    ['#5 VM+/* USE', /"", which is not a kind/],
    ['#5 VM/* LOOK', /"look", which is not a right: there are use/],
    ['#5 VM/* USE+', /not a right/],
    ['#5 VM/* USE @1', /end with a zone as #id or \*, not "@1"/],
    ['#5 VM+HOST/%1 USE', /must not select VM by cluster: only HOST, NET, DATASTORE have one/],
    ['#5 HOST+VM/@1 USE', /must not select HOST by group/],
    ['#5 GROUP/@1 USE', /must not select GROUP by group/],
    ['#5 VM+USER/#1 USE *', /must name a zone for VM\/#1/],
  ])('%j is malformed, and says why', (text, fault) => {
    const parsed = parseAcl(text);
    expect(parsed).toMatchObject({ ok: false });
    expect(parsed.ok ? [] : parsed.faults).toContainEqual(expect.stringMatching(fault));
  });

  it('says everything that is wrong at once', () => {
    const parsed = parseAcl('5 VMM/x LOOK @1');
    expect(parsed.ok ? [] : parsed.faults).toHaveLength(5);
  });

  it('prints as what it is read from, or is malformed both ways', () => {
    fc.assert(
      fc.property(rules, (rule) => {
        const parsed = parseAcl(printAcl(rule));
        if (parsed.ok) expect(parsed.rule).toEqual(rule);
        else expect(parsed.faults.join()).toMatch(/must not select|must name a zone/);
      }),
    );
  });
});
