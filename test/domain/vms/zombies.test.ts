import { describe, expect, it } from 'vitest';
import { fateOf, judgeStrays, type KnownVm, reasonOf, type Seen } from '../../../domain/vms/zombies.js';
import type { ZombieReason } from '../../../schemas/hosts/strays.js';
import type { HistoryRecord } from '../../../schemas/vms/vm.js';

const stay = (hid: number, epoch: number): HistoryRecord => ({
  ...{ seq: 0, hid, hostname: `host-${hid}`, vm_mad: 'simulated', epoch },
  ...{ stime: new Date(0), etime: null, reason: 'none' },
});
const vm = (more: Partial<KnownVm> = {}): KnownVm => ({
  ...{ _id: 7, state: 'ACTIVE', lcm_state: 'RUNNING', epoch: 3, history: [stay(1, 3)] },
  ...{ wanted: null, operation: null, hold: null },
  ...more,
});
const elsewhere = (lcm_state: KnownVm['lcm_state'], epoch = 4) => vm({ lcm_state, epoch, history: [stay(2, epoch)] });

describe('a domain of ours on host 1, of epoch 3', () => {
  it.each<[string, KnownVm | undefined, ZombieReason | null]>([
    ['of a VM that nobody knows', undefined, 'unknown'],
    ['of one that is there', vm(), null],
    ['of one that is switched off there', vm({ state: 'POWEROFF', lcm_state: 'LCM_INIT' }), null],
    ['of one that is DONE', vm({ state: 'DONE', history: [] }), 'done'],
    ['of one that was DONE before that epoch', vm({ state: 'DONE', epoch: 2, history: [] }), 'newer'],
    ['of one that runs elsewhere since', elsewhere('RUNNING'), 'elsewhere'],
    ['of one that runs elsewhere, of the same epoch', elsewhere('RUNNING', 3), 'last_copy'],
    ['of one that ran elsewhere before', elsewhere('RUNNING', 2), 'last_copy'],
    ['of one that is UNKNOWN elsewhere', elsewhere('UNKNOWN'), 'last_copy'],
    ['of one that boots elsewhere', { ...elsewhere('BOOT'), operation: 'op' }, null],
    ['of one that waits, after a failure', vm({ state: 'PENDING', lcm_state: 'LCM_INIT', history: [] }), 'last_copy'],
    ['of one that an operation is to take', vm({ state: 'PENDING', history: [], wanted: 'op' }), null],
  ])('%s is %s', (_, known, reason) => {
    expect(reasonOf(1, { epoch: 3, heard: 3 }, known)).toBe(reason);
  });
});

const now = new Date(1_000_000);
const found = (reason: ZombieReason, id = 7, state: 'running' | 'stopped' = 'running') => ({
  reason,
  domain: { vm: id, epoch: 3, heard: 3, deployId: `d-${id}`, state, capacity: { cpu: 50, memory: 256 } },
});
const nothing: Seen = { before: undefined, condemned: [], returns: false };
/** What two looks come to; the second sees what the first has written. */
function twice(all: ReturnType<typeof found>[], seen: Partial<Seen> = {}) {
  const first = judgeStrays({ ...nothing, ...seen }, all, [], now);
  expect(first.remove).toEqual([]);
  const before = first.strays ?? undefined;
  return judgeStrays({ ...nothing, ...seen, before }, all, [], new Date(2_000_000));
}

describe('what should not be on a host', () => {
  it.each<[ZombieReason, 'removed' | 'asked' | 'kept']>([
    ['done', 'removed'],
    ['elsewhere', 'removed'],
    ['newer', 'asked'],
    ['unknown', 'asked'],
    ['last_copy', 'kept'],
  ])('and is %s is %s at the second look', (reason, fate) => {
    const { strays, remove } = twice([found(reason)]);
    expect(strays?.zombies).toMatchObject([{ vm: 7, reason, since: now }]);
    expect(strays?.zombies.map((one) => fateOf(one, strays.zombies, nothing))).toEqual([fate]);
    expect(remove.map((one) => one.vm)).toEqual(fate === 'removed' ? [7] : []);
  });

  it('goes if somebody says so, but for what may be the last copy', () => {
    const all = [found('unknown', 1), found('newer', 2), found('last_copy', 3)];
    const condemned = [1, 2, 3].map((id) => ({ vm: id, deploy_id: `d-${id}` }));
    expect(twice(all, { condemned }).remove.map((one) => one.vm)).toEqual([1, 2]);
    expect(twice(all, { condemned: [{ vm: 1, deploy_id: 'another' }] }).remove).toEqual([]);
  });

  it('is left to a person where there are more than five, unless the host has been away', () => {
    const many = Array.from({ length: 6 }, (_, at) => found('done', at));
    expect(twice(many.slice(1)).remove).toHaveLength(5);
    expect(twice(many).remove).toEqual([]);
    expect(twice(many, { returns: true }).remove).toHaveLength(6);
  });

  it('takes room as long as it is up, whosever it is', () => {
    const wild = { name: 'one-12', deployId: 'w', state: 'running' as const, capacity: { cpu: 100, memory: 1_024 } };
    const { outside, strays } = judgeStrays(nothing, [found('unknown'), found('done', 8, 'stopped')], [wild], now);
    expect(outside).toEqual({ cpu: 150, memory: 1_280 });
    expect(strays).toMatchObject({ zombie_count: 2, wild_count: 1, wilds: [{ name: 'one-12', deploy_id: 'w' }] });
    expect(judgeStrays(nothing, [], [], now)).toEqual({ strays: null, outside: { cpu: 0, memory: 0 }, remove: [] });
  });
});
