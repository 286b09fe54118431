import { describe, expect, it } from 'vitest';
import { dueToScale, lookAtDue, type ScheduledRole } from '../../../domain/scaling/due-policies.js';
import { entriesOf, scheduleOf, withEntry } from '../../../domain/services/schedule.js';
import type { Schedule, ScheduleEntry } from '../../../schemas/services/service.js';
import { ScheduledPolicy } from '../../../schemas/services/service-template.js';

const zone = 'UTC';
const at = (time: string): Date => new Date(`2026-07-01T${time}Z`);
const policy = (over: object): ScheduledPolicy => ScheduledPolicy.parse({ type: 'CARDINALITY', adjust: 5, ...over });
const daily = policy({ recurrence: '0 12 * * *' });
const role = (over: Partial<ScheduledRole> = {}, ...policies: ScheduledPolicy[]): ScheduledRole => ({
  ...{ name: 'web', state: 'RUNNING', operation: null, cardinality: 2, min_vms: 1, max_vms: 10 },
  ...{ scheduled_policies: policies.length > 0 ? policies : [daily] },
  ...over,
});
const scheduled = (of: ScheduledRole, before: Schedule | null, now: Date): Schedule | null =>
  scheduleOf(entriesOf(of, before, { zone, now }), before, { zone, now });
const made = (of: ScheduledRole, now = at('09:00:00')): Schedule => {
  const schedule = scheduled(of, null, now);
  if (!schedule) throw new Error('there is no schedule');
  return schedule;
};
const entryOf = ({ of: [entry] }: Schedule): ScheduleEntry => {
  if (!entry) throw new Error('there is no entry');
  return entry;
};
const look = (of: ScheduledRole, now: Date, entry = entryOf(made(of))) => lookAtDue(of, entry, zone, now);

describe('scheduled policies', () => {
  it('are due at what comes next, and at their start time', () => {
    const once = policy({ start_time: '2026-07-02 08:00', time_zone: 'Europe/Madrid' });
    const schedule = made(role({}, daily, once));
    expect(schedule.of.map(({ next_at }) => next_at)).toEqual([at('12:00:00'), new Date('2026-07-02T06:00:00Z')]);
    expect(schedule).toMatchObject({ version: 1, due_at: at('12:00:00') });
    expect(scheduled(role({ scheduled_policies: undefined }), null, at('09:00:00'))).toBeNull();
  });

  it('that were due long before they were made never come; a little before, they do', () => {
    const [long, short] = [policy({ start_time: '2026-07-01T07:59:59Z' }), policy({ start_time: 1_782_892_800 })];
    expect(made(role({}, long, short)).of.map(({ next_at }) => next_at)).toEqual([null, at('08:00:00')]);
  });

  it('keep what is known of those that say the same still, and begin anew with others', () => {
    const before = made(role());
    const now = at('13:00:00');
    const after = scheduled(role({}, daily, policy({ recurrence: '30 13 * * *' })), before, now);
    expect(after?.of.map(({ next_at }) => next_at)).toEqual([at('12:00:00'), at('13:30:00')]);
    const other = scheduled(role({}, policy({ recurrence: '0 12 * * *', adjust: 6 })), before, now);
    expect(other?.of.map(({ next_at }) => next_at)).toEqual([new Date('2026-07-02T12:00:00Z')]);
  });

  it('do nothing before they are due', () => {
    expect(look(role(), at('11:59:59'))).toBeNull();
  });

  it('scale when they are, and are due again when it comes next', () => {
    expect(look(role(), at('12:00:04'))).toMatchObject({
      deed: { from: 2, to: 5, because: 'by scheduled policy 0, due at 2026-07-01T12:00:00.000Z' },
      entry: { next_at: new Date('2026-07-02T12:00:00Z'), last: { verdict: 'scaled', due_at: at('12:00:00') } },
    });
  });

  it('with a start time come once', () => {
    const once = role({}, policy({ start_time: '2026-07-01T09:30:00Z' }));
    expect(look(once, at('09:31:00'))).toMatchObject({ deed: { to: 5 }, entry: { next_at: null } });
    // What has begun already when the service is made comes still, once.
    const [began, now] = [made(once, at('10:00:00')), at('10:00:05')];
    expect(lookAtDue(once, entryOf(began), zone, now)).toMatchObject({ deed: { to: 5 }, entry: { next_at: null } });
    expect(lookAtDue(once, entryOf(began), zone, at('10:31:00'))).toMatchObject({
      deed: null,
      entry: { next_at: null, last: { verdict: 'missed' } },
    });
  });

  it('come once, for the last time that they were due, when nobody looked for long', () => {
    const often = role({}, policy({ recurrence: '*/10 * * * *', type: 'CHANGE', adjust: 1 }));
    const looked = look(often, at('19:27:00'));
    expect(looked).toMatchObject({
      deed: { to: 3 },
      entry: { next_at: at('19:30:00'), last: { due_at: at('19:20:00') } },
    });
    expect(looked && lookAtDue(often, looked.entry, zone, at('19:27:00'))).toBeNull();
  });

  it('are missed when that was more than an hour ago', () => {
    expect(look(role(), at('13:00:00'))).toMatchObject({ deed: { to: 5 } });
    expect(look(role(), at('13:00:01'))).toMatchObject({
      deed: null,
      entry: {
        next_at: new Date('2026-07-02T12:00:00Z'),
        last: { verdict: 'missed', why: 'for an hour nothing looked at it', due_at: at('12:00:00') },
      },
    });
  });

  it.each<[string, Partial<ScheduledRole>]>([
    ['the role was in COOLDOWN', { state: 'COOLDOWN', cooldown_until: at('12:30:00') }],
    ['the role was DEPLOYING', { state: 'DEPLOYING' }],
    ['the role was FAILED_SCALING', { state: 'FAILED_SCALING' }],
  ])('wait while %s, and say so; then they scale, or were missed', (why, over) => {
    const schedule = made(role());
    const waiting = look(role(over), at('12:00:04'), entryOf(schedule));
    expect(waiting).toMatchObject({ deed: null, entry: { next_at: at('12:00:00'), last: { verdict: 'waits', why } } });
    if (!waiting) return;
    const now = at('12:00:04');
    expect(withEntry(schedule, waiting.entry, now)).toMatchObject({ version: 2, due_at: at('12:00:14') });
    expect(look(role(), at('12:40:00'), waiting.entry)).toMatchObject({ deed: { to: 5 } });
    expect(look(role(), at('14:40:00'), waiting.entry)).toMatchObject({
      entry: { last: { verdict: 'missed', why: `for an hour ${why}` } },
    });
  });

  it('ask for it while an operation is at work on the role, which gives way if it only waits', () => {
    expect(look(role({ operation: 'op', state: 'SCALING' }), at('12:00:04'))).toMatchObject({ deed: { to: 5 } });
  });

  it('pass by when there are so many already, or when they are paused', () => {
    const passed = { deed: null, entry: { next_at: new Date('2026-07-02T12:00:00Z') } };
    expect(look(role({ cardinality: 5 }), at('12:00:04'))).toMatchObject({
      ...passed,
      entry: { last: { verdict: 'unchanged', why: 'it has 5 VMs already' } },
    });
    for (const paused of [{ enabled: false }, { paused_until: '2026-07-01T14:00:00+01:00' }])
      expect(look(role({}, { ...daily, ...paused }), at('12:00:04'))).toMatchObject({
        ...passed,
        entry: { last: { verdict: 'paused' } },
      });
    expect(look(role({}, { ...daily, paused_until: '2026-07-01T12:00:00Z' }), at('12:00:04'))?.deed).toMatchObject({
      to: 5,
    });
  });

  it('do something to VMs instead, whatever is at work on their role, and leave its number as it is', () => {
    const restart = ScheduledPolicy.parse({ action: 'recreate', number: 1, recurrence: '0 12 * * *' });
    for (const busy of [{}, { operation: 'op', state: 'SCALING' }, { cooldown_until: at('13:00:00') }] as const)
      expect(look(role(busy, restart), at('12:00:04'))).toEqual({
        deed: { do: 'perform', action: 'recreate', number: 1, by: { kind: 'schedule', policy: 0 } },
        entry: expect.objectContaining({
          next_at: new Date('2026-07-02T12:00:00Z'),
          last: expect.objectContaining({ verdict: 'performed', why: 'recreate of every VM' }),
        }),
      });
    // Another action at the same time is another policy.
    const other = { ...restart, action: 'resume' } as const;
    const now = at('13:00:00');
    const [kept] = scheduled(role({}, restart), made(role({}, restart)), now)?.of ?? [];
    const [changed] = scheduled(role({}, other), made(role({}, restart)), now)?.of ?? [];
    expect([kept?.next_at, changed?.next_at]).toEqual([at('12:00:00'), new Date('2026-07-02T12:00:00Z')]);
  });

  it('keep to the limits of their role', () => {
    expect(look(role({}, policy({ recurrence: '0 12 * * *', adjust: 50 })), at('12:00:04'))?.deed).toMatchObject({
      to: 10,
    });
  });
});

describe('what goes before policies that go by load', () => {
  const due = (of: ScheduledRole, now: Date, { of: entries } = made(of)) => dueToScale(of, entries, now);

  it('is what is due and has not been carried out, of this role', () => {
    expect([due(role(), at('11:59:59')), due(role(), at('12:00:00'))]).toEqual([null, 0]);
    expect(due(role({ name: 'db' }), at('12:00:00'), made(role()))).toBeNull();
    const { entry } = look(role(), at('12:00:04')) ?? {};
    if (!entry) throw new Error('it was not due');
    expect(due(role(), at('12:00:05'), withEntry(made(role()), entry, at('12:00:04')))).toBeNull();
  });

  it('is what waits, too, for as long as it does', () => {
    const rests = role({ state: 'COOLDOWN', cooldown_until: at('12:30:00') });
    const { entry } = look(rests, at('12:00:04')) ?? {};
    if (!entry) throw new Error('it was not due');
    const waiting = withEntry(made(rests), entry, at('12:00:04'));
    expect([due(rests, at('12:30:01'), waiting), due(rests, at('13:00:01'), waiting)]).toEqual([0, null]);
    // What comes again while it waits is due anew.
    const hourly = role({ ...rests, scheduled_policies: [policy({ recurrence: '*/10 * * * *' })] });
    const first = look(hourly, at('12:29:00'), entryOf(made(hourly, at('11:45:00'))))?.entry;
    if (!first) throw new Error('it was not due');
    const long = withEntry(made(hourly, at('11:45:00')), first, at('12:29:00'));
    expect(due(hourly, at('13:15:00'), long)).toBe(0);
  });

  it('is nothing that is paused, and nothing that is done to VMs', () => {
    expect(due(role({}, policy({ recurrence: '0 12 * * *', enabled: false })), at('12:00:00'))).toBeNull();
    const action = ScheduledPolicy.parse({ recurrence: '0 12 * * *', action: 'reboot' });
    expect(due(role({}, action), at('12:00:00'))).toBeNull();
    expect(due(role({}, action, daily), at('12:00:00'))).toBe(1);
  });
});
