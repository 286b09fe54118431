import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FlushFacts,
  type FlushVm,
  planFlush,
  type RoleServing,
  whyNotFree,
} from '../../../domain/vms/host-flush.js';
import type { Flushed } from '../../../schemas/operations/flushed.js';

const at = new Date(0);
const vm = (id: number, changes: Partial<FlushVm> = {}): FlushVm => ({
  ...{ id, state: 'ACTIVE/RUNNING', reason: null, place: 'here', between: false, busy: null, role: null },
  ...changes,
});
const known = (changes: Partial<Flushed>): Flushed => ({
  ...{ turn: 0, at, outcome: 'waits', live: null, op: null, why: null },
  ...changes,
});
const plan = (vms: FlushVm[], changes: Partial<FlushFacts> = {}) =>
  planFlush({ vms, flushed: {}, moves: new Map(), roles: new Map(), live: true, most: 4, ...changes });
const failed = (detail: string) => new Map([['A', { state: 'failed', detail } as const]]);

describe('what is done with a VM of a host that is flushed', () => {
  it.each<[string, Partial<FlushVm>, Partial<Flushed> | null, Partial<FlushFacts>, object]>([
    ['one that runs', {}, null, {}, { ask: [{ vm: 1, live: true, why: null }] }],
    ['one that runs where live is not known', {}, null, { live: false }, { ask: [{ vm: 1, live: false }] }],
    ['one that is off', { state: 'POWEROFF' }, null, {}, { ask: [{ vm: 1, live: false, why: null }] }],
    ['one that is suspended', { state: 'SUSPENDED' }, null, {}, { ask: [{ vm: 1, live: false, why: null }] }],
    ['one between two hosts', { state: 'ACTIVE/UNKNOWN', between: true }, null, {}, { ask: [{ vm: 1, live: false }] }],
    [
      'one of which nobody knows',
      { state: 'ACTIVE/UNKNOWN', reason: 'its guest has crashed' },
      null,
      {},
      { stays: 'it is UNKNOWN (its guest has crashed): arcus vm why 1 says what can be done' },
    ],
    ['one that another operation has', { busy: 'X' }, null, {}, { waits: 'operation X is at work on it' }],
    [
      'one that is on its way',
      {},
      { outcome: 'moving', op: 'A', live: true },
      { moves: new Map([['A', { state: 'running', detail: null }]]) },
      { moving: null },
    ],
    [
      'one that was refused live',
      {},
      { outcome: 'moving', op: 'A', live: true },
      { moves: failed('its processor is another') },
      { ask: [{ vm: 1, live: false, why: 'live: its processor is another' }] },
    ],
    [
      'one that was refused live, and is off by now',
      { state: 'POWEROFF' },
      { outcome: 'moving', op: 'A', live: true },
      { moves: failed('it has stopped') },
      { stays: 'it has stopped' },
    ],
    [
      'one that was refused cold',
      {},
      { outcome: 'moving', op: 'A', live: false },
      { moves: failed('no') },
      { stays: 'no' },
    ],
    [
      'one whose migration was cancelled',
      {},
      { outcome: 'moving', op: 'A', live: true },
      { moves: new Map([['A', { state: 'cancelled', detail: 'cancelled' } as const]]) },
      { stays: 'its migration was cancelled' },
    ],
    [
      'one that has gone elsewhere',
      { place: 'elsewhere' },
      { outcome: 'moving', op: 'A', live: true },
      {},
      { moved: null },
    ],
    ['one that has ended', { place: 'nowhere', state: 'DONE' }, null, {}, { gone: null }],
    ['one that stayed', {}, { outcome: 'stays', why: 'no room' }, {}, { stays: 'no room' }],
    [
      'one that stayed, and was moved by somebody',
      { place: 'elsewhere' },
      { outcome: 'stays', why: 'no room' },
      {},
      { moved: null },
    ],
    [
      'one that comes here yet',
      { place: 'coming', state: 'PENDING', busy: 'X' },
      null,
      {},
      { waits: 'operation X is at work on it' },
    ],
  ])('%s', (_name, changes, before, facts, expected) => {
    const { said, ask } = plan([vm(1, changes)], { flushed: before ? { 1: known(before) } : {}, ...facts });
    const one = said.get(1);
    const seen = ask.length > 0 ? { ask } : { [one?.outcome ?? '']: one?.why };
    expect(seen).toMatchObject(expected);
  });

  it('comes live first, then those that do not run, then those that run; so many at once', () => {
    const vms = [vm(1, { role: 'a' }), vm(2, { state: 'POWEROFF' }), vm(3), vm(4)];
    const flushed = { 1: known({ outcome: 'moving', live: true, op: 'A' }) };
    const { ask, open } = plan(vms, { flushed, moves: failed('no'), most: 3 });
    expect(ask.map(({ vm: id }) => id)).toEqual([3, 4, 2]);
    expect(open).toBe(4);
  });
});

describe('a role whose VMs cannot go live', () => {
  const roles = (running: number[], busy: number[] = []) =>
    new Map<string, RoleServing>([['1/web', { running: new Set(running), busy: new Set(busy) }]]);
  const web = (id: number, changes: Partial<FlushVm> = {}) => vm(id, { role: '1/web', ...changes });

  it('has them moved one after the other', () => {
    const { ask, said } = plan([web(1), web(2), web(3)], { live: false, roles: roles([1, 2, 3]) });
    expect(ask.map(({ vm: id }) => id)).toEqual([1]);
    expect(said.get(2)?.why).toBe('VM 1 of its role goes first');
  });

  it('waits for one that is about to run, and goes on where there is none', () => {
    expect(plan([web(1)], { live: false, roles: roles([1], [9]) }).ask).toEqual([]);
    expect(plan([web(1)], { live: false, roles: roles([1], [9]) }).said.get(1)?.why).toContain('VM 9');
    expect(plan([web(1)], { live: false, roles: roles([1]) }).ask).toHaveLength(1);
    expect(plan([web(1)], { live: false, roles: roles([1, 9]) }).ask).toHaveLength(1);
  });
});

/** A host with VMs of some roles, played to its end: each round what was asked for ends well or badly. */
const cases = fc.record({
  vms: fc.array(
    fc.record({
      state: fc.constantFrom(
        'ACTIVE/RUNNING' as const,
        'POWEROFF' as const,
        'SUSPENDED' as const,
        'ACTIVE/UNKNOWN' as const,
      ),
      role: fc.constantFrom(null, '1/a', '1/b'),
      refuses: fc.constantFrom('nothing' as const, 'live' as const, 'all' as const),
    }),
    { maxLength: 12 },
  ),
  elsewhere: fc.array(fc.constantFrom('1/a', '1/b'), { maxLength: 3 }),
  live: fc.boolean(),
  most: fc.integer({ min: 1, max: 5 }),
});

it('comes to an end, so many at once, with no role down that has two that run', () => {
  fc.assert(
    fc.property(cases, ({ vms, elsewhere, live, most }) => {
      const now = vms.map(({ state, role }, id) => vm(id, { state, role }));
      const others = elsewhere.map((role, at) => vm(100 + at, { role, place: 'elsewhere' }));
      const flushed: Record<string, Flushed> = {};
      const moves = new Map<string, { state: 'running' | 'succeeded' | 'failed'; detail: string | null }>();
      for (let round = 0; round < 60; round++) {
        const all = [...now, ...others];
        const roles = new Map(
          ['1/a', '1/b'].map((role): [string, RoleServing] => {
            const its = all.filter((one) => one.role === role && one.state === 'ACTIVE/RUNNING');
            return [
              role,
              {
                running: new Set(its.filter(({ busy }) => !busy).map(({ id }) => id)),
                busy: new Set(its.filter(({ busy }) => busy).map(({ id }) => id)),
              },
            ];
          }),
        );
        const { said, ask, open } = planFlush({ vms: now, flushed, moves, roles, live, most });
        for (const [id, one] of said) flushed[id] = known({ ...one, turn: round });
        if (open === 0) {
          for (const one of now) expect(flushed[one.id]?.outcome).toBe(one.place === 'elsewhere' ? 'moved' : 'stays');
          expect(whyNotFree('h', flushed) === null).toBe(now.every(({ place }) => place === 'elsewhere'));
          return;
        }
        for (const { vm: id, live: isLive, why } of ask) {
          const op = `${id}${isLive}`;
          expect(moves.has(op)).toBe(false);
          moves.set(op, { state: 'running', detail: null });
          flushed[id] = known({ outcome: 'moving', op, live: isLive, why });
          Object.assign(now[id] ?? {}, { busy: op });
        }
        const under = now.filter(({ busy }) => busy !== null);
        expect(under.length).toBeLessThanOrEqual(most);
        for (const role of ['1/a', '1/b']) {
          const its = all.filter((one) => one.role === role && one.state === 'ACTIVE/RUNNING');
          const down = its.filter(({ id, busy }) => busy !== null && flushed[id]?.live === false);
          expect(down.length).toBeLessThanOrEqual(1);
          if (its.length > 1) expect(its.length - down.length).toBeGreaterThan(0);
        }
        // The one that was asked for last ends first.
        const last = under.at(-1);
        if (!last?.busy) continue;
        const refuses = vms[last.id]?.refuses;
        const isRefused = refuses === 'all' || (refuses === 'live' && flushed[last.id]?.live === true);
        moves.set(last.busy, { state: isRefused ? 'failed' : 'succeeded', detail: isRefused ? 'no' : null });
        Object.assign(last, { busy: null, ...(!isRefused && { place: 'elsewhere' }) });
      }
      expect.unreachable('it goes on');
    }),
  );
});
