import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comingOf, cronFault, nextOf, type Recurrence, readCron } from '../../domain/cron.js';
import { wallTimeIn } from '../../domain/time-zones.js';

const read = (expression: string): Recurrence => {
  const found = readCron(expression);
  if (!found.ok) throw new Error(found.fault);
  return found.recurrence;
};
const coming = (expression: string, zone: string, after: string, most: number): string[] =>
  comingOf(read(expression), zone, new Date(after), most).map((moment) =>
    moment.toISOString().replace(':00.000Z', 'Z'),
  );

describe('a recurrence', () => {
  it.each([
    '0 0 * * *',
    '*/5 9-17 1,15 jan-mar mon',
    '  59 23 31 12 0 ',
    '0 0 * * 7',
    '0 9 * * MON-FRI',
    '0 0 31 2 mon',
  ])('can be %j', (expression) => {
    expect(cronFault(expression)).toBeUndefined();
  });

  it.each([
    '',
    '* * * *',
    '* * * * * *',
    '@daily',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    'a * * * *',
    '* * L * *',
    '* * * * 1#2',
    '5-1 * * * *',
    '*/0 * * * *',
  ])('cannot be %j', (expression) => {
    expect(cronFault(expression)).toEqual(expect.any(String));
  });

  it.each([
    ['0 0 31 2 *', 'never comes: there is no day 31 in February'],
    ['0 0 30 feb *', 'never comes: there is no day 30 in February'],
    ['0 0 31 4,6,9,11 *', 'never comes: there is no day 31 in April, June, September, November'],
  ])('%j is refused, for %s', (expression, fault) => {
    expect(cronFault(expression)).toBe(fault);
  });
});

describe('what comes next', () => {
  it('is on days or on weekdays, where both are named', () => {
    expect(coming('0 0 13 * fri', 'UTC', '2026-03-01T00:00:00Z', 4)).toEqual([
      '2026-03-06T00:00Z',
      '2026-03-13T00:00Z',
      '2026-03-20T00:00Z',
      '2026-03-27T00:00Z',
    ]);
  });

  it('is years away, for 29 February', () => {
    expect(coming('0 12 29 2 *', 'UTC', '2096-03-01T00:00:00Z', 1)).toEqual(['2104-02-29T12:00Z']);
  });

  it('is by the clock on the wall, and once, where clocks are set forward over it or back', () => {
    expect(coming('30 2 * * *', 'Europe/Madrid', '2026-03-28T00:00:00Z', 3)).toEqual([
      '2026-03-28T01:30Z',
      '2026-03-29T01:30Z',
      '2026-03-30T00:30Z',
    ]);
    expect(coming('30 2 * * *', 'Europe/Madrid', '2026-10-24T00:00:00Z', 3)).toEqual([
      '2026-10-24T00:30Z',
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
    const [firstTwo, secondTwo] = ['2026-04-04T13:30:00Z', '2026-04-04T14:00:00Z'];
    expect(coming('*/20 2 * * *', 'Pacific/Auckland', firstTwo, 2)).toEqual(['2026-04-04T13:40Z', '2026-04-05T14:00Z']);
    expect(coming('*/20 2 * * *', 'Pacific/Auckland', secondTwo, 1)).toEqual(['2026-04-05T14:00Z']);
    expect(coming('1 2 * * *', 'Europe/Madrid', '2026-03-29T01:00:00Z', 1)).toEqual(['2026-03-29T01:01Z']);
    expect(coming('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', 2)).toEqual([
      '2026-10-03T15:45Z',
      '2026-10-04T15:15Z',
    ]);
  });
});

/** Of one field: all, some, a range or steps. */
const field = (from: number, to: number) =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: from, max: to }).map(String),
    fc
      .tuple(fc.integer({ min: from, max: to }), fc.integer({ min: from, max: to }))
      .map(([a, b]) => (a < b ? `${a}-${b}` : a > b ? `${b},${a}` : `${a}`)),
    fc.integer({ min: 2, max: 10 }).map((step) => `*/${step}`),
  );

function wallMinute(zone: string, at: Date): number {
  const { day, minute } = wallTimeIn(zone, at);
  return day * 24 * 60 + minute;
}

it.each([
  ['Europe/Madrid', '2026-03-27T00:00:00Z', '2026-10-23T00:00:00Z'],
  ['America/New_York', '2026-03-06T00:00:00Z', '2026-10-30T00:00:00Z'],
  ['Pacific/Auckland', '2026-04-03T00:00:00Z', '2026-09-25T00:00:00Z'],
])('is what cron-parser says, over the days on which clocks are set in %s', (zone, ...from) => {
  const cases = fc.record({
    expression: fc
      .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
      .map((fields) => fields.join(' ')),
    begins: fc.constantFrom(...from),
    minutes: fc.nat(4 * 24 * 60),
  });
  fc.assert(
    fc.property(cases, ({ expression, begins, minutes }) => {
      const after = new Date(Date.parse(begins) + minutes * 60_000);
      // Asked within the hour after clocks were set, cron-parser knows neither that an hour has come once, nor that one was left out.
      fc.pre(wallMinute(zone, after) - wallMinute(zone, new Date(after.getTime() - 3_600_000)) === 60);
      const theirs = CronExpressionParser.parse(expression, { tz: zone, currentDate: after });
      const ours = comingOf(read(expression), zone, after, 3);
      expect(ours.map((moment) => moment.toISOString())).toEqual(theirs.take(3).map((date) => date.toISOString()));
    }),
    { numRuns: 50 },
  );
});

it('never stands still, nor goes back', () => {
  const recurrence = read('*/7 * * * *');
  let last = new Date('2026-10-25T00:00:30Z');
  for (let n = 0; n < 40; n++) {
    const next = nextOf(recurrence, 'Europe/Madrid', last);
    expect(next?.getTime()).toBeGreaterThan(last.getTime());
    last = next ?? last;
  }
});
