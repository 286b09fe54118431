import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCondition } from '../../../domain/expressions/policy-parse.js';
import { judgeCondition } from '../../../domain/scaling/judge-condition.js';
import type { MeasuredVm, Sample } from '../../../domain/scaling/measures.js';
import { metricNames } from '../../../schemas/hosts/metrics.js';

const now = new Date('2026-11-28T12:00:00Z');
const stale = 60_000;
const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1_000);
const seen = (metrics: Omit<Sample, 'at'>, seconds = 5): Sample => ({ at: ago(seconds), ...metrics });

let ids = 0;
const vm = (over: Partial<MeasuredVm> = {}): MeasuredVm => ({
  ...{ id: ++ids, name: 'web', user_template: {}, template: { CPU: '0.5', MEMORY: 512, TIER: 7 } },
  ...{ own: { UID: 2 }, since: ago(600), sample: null },
  ...over,
});
const att = (...values: unknown[]): MeasuredVm[] =>
  values.map((ATT) => vm({ user_template: ATT === undefined ? {} : { ATT } }));
const cpu = (...values: number[]): MeasuredVm[] => values.map((CPU) => vm({ sample: seen({ CPU }) }));

function judge(text: string, vms: readonly MeasuredVm[]) {
  const parsed = parseCondition(text);
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  return judgeCondition(parsed.value, vms, { now, stale });
}

describe('a condition over the running VMs of a role', () => {
  it.each([
    ['ATT > 50', att('40', 60), false, 'ATT[50] > 50'],
    ['ATT > 50', att(' 45 ', '60'), true, 'ATT[52.5] > 50'],
    // As the guide says: one that has no such attribute is left out.
    ['ATT > 50', att(45, 60, undefined), true, 'ATT[52.5] > 50'],
    ['max(CPU) > 90', cpu(10, 95, 20), true, 'max(CPU)[95] > 90'],
    ['min(CPU) < 20 & sum(CPU) = 125', cpu(10, 95, 20), true, 'min(CPU)[10] < 20 & sum(CPU)[125] = 125'],
    ['p95(CPU) > 19', cpu(...Array.from({ length: 20 }, (_, at) => at + 1)), false, 'p95(CPU)[19] > 19'],
    ['MIN(CPU) <> AVG(CPU)', cpu(1, 2), true, 'min(CPU)[1] != avg(CPU)[1.5]'],
    // User template before monitoring before template before the VM.
    ['CPU = 5', [vm({ user_template: { CPU: 5 }, sample: seen({ CPU: 80 }) })], true, 'CPU[5] = 5'],
    ['CPU = 80', cpu(80), true, 'CPU[80] = 80'],
    ['TIER = 7 & UID = 2', att(1), true, 'TIER[7] = 7 & UID[2] = 2'],
    ['5 > 3', att(1), true, '5 > 3'],
  ])('%s', (text, vms, verdict, found) => {
    expect(judge(text, vms)).toMatchObject({ verdict, text: found, unknown: null });
  });

  it.each(metricNames.map((name) => name.toUpperCase()))('%s is what hypervisors tell, and nothing else', (name) => {
    const untold = vm({ template: { [name]: 7 } });
    expect(judge(`${name} = 5`, [vm({ sample: seen({ [name]: 5 }) })]).verdict).toBe(true);
    expect(judge(`${name} = 7`, [untold]).unknown).toMatch(new RegExp(`has no ${name} yet: no host has told it$`));
  });

  it.each([
    ['ATT > 50', [], 'no VM of the role runs'],
    ['ATT > 50', att(undefined), /^VM \d+ \(web\) has no ATT$/],
    ['!(ATT > 50)', att(undefined, undefined), /^VM \d+ \(web\) and VM \d+ \(web\) have no ATT$/],
    ['ATT > 50', att(60, 'much'), /^ATT of VM \d+ \(web\) is no number$/],
    ['ATT > 50', att(60, ''), /^ATT of VM \d+ \(web\) is no number$/],
    ['ATT > 50', att({ much: 1 }), /^ATT of VM \d+ \(web\) is no number$/],
    // The CPU that stands in the template is what was reserved: it measures nothing.
    ['CPU < 5', [vm()], /^VM \d+ \(web\) has no CPU yet/],
    ['CPU < 5', [...cpu(1), vm({ sample: seen({ MEMORY: 1 }) })], /^VM \d+ \(web\) has no CPU yet/],
    [
      'CPU < 5',
      [...cpu(1), vm({ sample: seen({ CPU: 1 }, 61) })],
      /^CPU of VM \d+ \(web\) is stale: it was told 61 s ago$/,
    ],
    ['ATT > 50 | CPU > 5', att(1), /has no CPU yet/],
  ])('%s is not known: %s', (text, vms, why) => {
    const { verdict, unknown } = judge(text, vms);
    expect(verdict).toBeNull();
    expect(unknown).toMatch(why);
  });

  it('is decided by what is known where that is enough', () => {
    const vms = att(60);
    expect(judge('ATT > 50 | CPU > 5', vms).verdict).toBe(true);
    expect(judge('ATT < 50 & CPU > 5', vms).verdict).toBe(false);
    expect(judge('!(ATT > 50 | CPU > 5)', vms).verdict).toBe(false);
  });

  it('says when the newest of its measurements was taken, and none of what users write', () => {
    const vms = [vm({ sample: seen({ CPU: 1 }, 30) }), vm({ sample: seen({ CPU: 1 }, 8) })];
    expect(judge('CPU > 5', vms).sampled).toEqual(ago(8));
    expect(judge('ATT > 5', att(1)).sampled).toBeNull();
  });

  it('over what is missing, stale or a text is never true, nor false', () => {
    const bad = fc.constantFrom<Partial<MeasuredVm>>(
      {},
      { user_template: { X: 'text', CPU: 'text' } },
      { sample: seen({ CPU: 99 }, 61) },
    );
    const texts = fc.constantFrom('X > 1', '!(X > 1)', 'CPU < 1 | X < 1', '!(CPU = 5) & max(X) != 2', 'sum(CPU) >= 0');
    fc.assert(
      fc.property(fc.array(bad, { maxLength: 4 }), texts, (overs, text) => {
        expect(judge(text, overs.map(vm)).verdict).toBeNull();
      }),
    );
  });
});
