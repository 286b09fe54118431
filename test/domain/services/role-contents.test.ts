import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { mergeServiceTemplate } from '../../../domain/services/service-template.js';
import { parseTemplateText } from '../../../domain/template-text.js';
import { ServiceTemplateBody } from '../../../schemas/services/service-template.js';
import { checkServiceTemplate } from './check-service-template.js';

type Json = Record<string, unknown>;

const bodyOf = (vm_template_contents: string, more: Json = {}): Json => ({
  name: 'shop',
  roles: [{ name: 'web', vm_template: 0, vm_template_contents }],
  ...more,
});
/** What is wrong with it when it is made. */
const refusals = (contents: string, more: Json = {}) =>
  checkServiceTemplate(ServiceTemplateBody.parse(bodyOf(contents, more))).map(({ detail }) => detail);
/** The attributes of its one role when it is instantiated. */
function attributes(contents: string, values: Json, more: Json = {}): Json {
  const merged = ServiceTemplateBody.parse(
    mergeServiceTemplate(bodyOf(contents, more), { custom_attrs_values: values }),
  );
  const findings = checkServiceTemplate(merged, new Set());
  if (findings.length > 0) throw new Error(JSON.stringify(findings));
  const parsed = parseTemplateText(merged.roles[0]?.vm_template_contents ?? '');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
}
function problemOf(merge: () => unknown): Problem {
  try {
    merge();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a"b', 'x"\nCPU="64', '\\', '\\"', '] #', 'a\nEVIL=1', '$PASS', '$&', "$'", '", EVIL="1', '[A=1]'),
);

describe('the value of a custom attribute', () => {
  it('takes its place in a value, and sets no other attribute, whatever it is', () => {
    const contents =
      'ROOTPW="$PASS"\nBARE=$PASS\nBOTH="a $PASS b$PASS$" # $PASS\nNIC=[NETWORK_ID=$PASS, IP="$PASS"]\nCPU=1';
    fc.assert(
      fc.property(anyText, (PASS) => {
        expect(attributes(contents, { PASS })).toEqual({
          ROOTPW: PASS,
          BARE: PASS,
          BOTH: `a ${PASS} b${PASS}$`,
          NIC: { NETWORK_ID: PASS, IP: PASS },
          CPU: '1',
        });
      }),
    );
  });

  it('sets no other attribute as a user input either', () => {
    fc.assert(
      fc.property(anyText, (MOTTO) => {
        const roles = [
          { name: 'web', vm_template: 0, vm_template_contents: 'CPU=1 # one', user_inputs_values: { MOTTO } },
        ];
        expect(attributes('', {}, { roles })).toEqual({ CPU: '1', MOTTO });
      }),
    );
  });

  it('may be attributes where it stands by itself, and they are read by themselves', () => {
    const contents = 'CPU=1\n$EXTRA # more\nLABELS=prod $MORE';
    const values = { EXTRA: 'MOTTO="a $MORE b"\nNIC=[NETWORK="lan"]', MORE: '' };
    const promised = { custom_attrs: { EXTRA: 'M|text|', MORE: 'M|text|' } };
    expect(refusals(contents, promised)).toEqual([]);
    expect(attributes(contents, values, promised)).toEqual({
      CPU: '1',
      MOTTO: 'a $MORE b',
      NIC: { NETWORK: 'lan' },
      LABELS: 'prod',
    });
    const problem = problemOf(() => attributes(contents, { EXTRA: 'A="', MORE: 'B' }, promised));
    expect(problem.findings).toEqual([
      {
        pointer: '/merge_template/custom_attrs_values/EXTRA',
        detail: 'stands for attributes and cannot be read: line 1, column 3: expected a second quote to close this one',
      },
      {
        pointer: '/merge_template/custom_attrs_values/MORE',
        detail: 'stands for attributes and cannot be read: line 1, column 2: expected = after B',
      },
    ]);
  });

  it('is judged in its place: expressions are read when it is known', () => {
    const contents = 'SCHED_REQUIREMENTS="CLUSTER_ID=$CLUSTER"';
    const promised = { custom_attrs: { CLUSTER: 'M|text|' } };
    expect(refusals(contents, promised)).toEqual([]);
    expect(attributes(contents, { CLUSTER: 100 }, promised)).toEqual({ SCHED_REQUIREMENTS: 'CLUSTER_ID=100' });
    expect(() => attributes(contents, { CLUSTER: '(' }, promised)).toThrow(/line 1, column 12/);
  });

  it.each([
    ['SCHED_RANK="$RANK"', /^SCHED_RANK, line 1, column 1: .*; RANK is no custom attribute: name it in custom_attrs/],
    ['CPU=1\n $EXTRA', /^line 2, column 2: \$EXTRA stands for attributes, and EXTRA is no custom attribute/],
    ['$NAME=1', /^line 1, column 1: expected NAME=value/],
    ['DISK=[SIZE=1, $MORE]', /^line 1, column 20: expected = after \$MORE/],
    ['MY-LABEL=1', /^line 1, column 1: MY-LABEL is not the name of an attribute/],
  ])('is asked for when the template is made: %j', (contents, detail) => {
    expect(refusals(contents, { custom_attrs: { NAME: '', MORE: '' } })).toEqual([expect.stringMatching(detail)]);
  });

  it('is measured before it is put anywhere', () => {
    const contents = 'A="$A"\n'.repeat(200);
    const roles = Array.from({ length: 300 }, (_, at) => ({
      name: `r${at}`,
      vm_template: 0,
      vm_template_contents: contents,
    }));
    const before = process.memoryUsage().heapUsed;
    const problem = problemOf(() =>
      mergeServiceTemplate({ name: 'shop', roles }, { custom_attrs_values: { A: '"'.repeat(75_000) } }),
    );
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(500e6);
    expect(problem.findings).toHaveLength(301);
    expect(problem.findings[7]).toEqual({
      pointer: '/merge_template/roles/7/vm_template_contents',
      detail: 'would have 30,001,000 characters with the values of custom attributes; at most 65,536 are possible',
    });
    const long = 'A="$A"\n'.repeat(9_000);
    const [, ...others] = roles;
    const many = others.map((role) => ({ ...role, vm_template_contents: long }));
    expect(problemOf(() => mergeServiceTemplate({ name: 'shop', roles: many }, {})).findings).toHaveLength(1);
    expect(problem.findings[300]?.detail).toContain('would have contents of 9,000,300,000 characters');
  });

  it('is measured as it will be written', () => {
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 1, maxLength: 4 }), fc.nat(1), (texts, more) => {
        const A = texts.join('').repeat(400);
        const contents = 'X=[Y="$A", Z=1]\nT="\\\\ $A$A"\nU=$B\nCPU=1'.concat(more ? '\n$A' : '');
        const merge = () =>
          mergeServiceTemplate(bodyOf(contents), { custom_attrs_values: more ? { A: 'M="1"' } : { A } });
        const length = (roles: unknown) =>
          String((roles as { vm_template_contents: string }[])[0]?.vm_template_contents).length;
        try {
          expect(length(merge().roles)).toBeLessThanOrEqual(65_536);
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          const [, told = ''] = /([\d,]+) characters/.exec(error.findings[0]?.detail ?? '') ?? [];
          expect(Number(told.replaceAll(',', ''))).toBeGreaterThan(65_536);
        }
      }),
    );
  });
});
