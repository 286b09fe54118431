import { describe, expect, it } from 'vitest';
import { startTimeOf } from '../../domain/start-time.js';

const now = new Date('2026-07-01T10:00:00Z');
const read = (text: string, zone = 'Europe/Madrid'): string | undefined => startTimeOf(text, zone, now)?.toISOString();

describe('a start time', () => {
  it.each([
    ['2017-10-02T15:45:00Z', '2017-10-02T15:45:00.000Z'],
    ['2017-10-02T15:45:30+0530', '2017-10-02T10:15:30.000Z'],
    ['2017-10-02 15:45', '2017-10-02T13:45:00.000Z'],
    ['2017-12-02 15:45:10', '2017-12-02T14:45:10.000Z'],
    ['2027-01-05', '2027-01-04T23:00:00.000Z'],
    ['1506951900', '2017-10-02T13:45:00.000Z'],
    [' 2nd oct 2017 15:45 ', '2017-10-02T13:45:00.000Z'],
    ['2nd dec 2026 15:45', '2026-12-02T14:45:00.000Z'],
    ['Mon Oct 2 2017 15:45 GMT', '2017-10-02T15:45:00.000Z'],
    ['tomorrow at 9:00', '2026-07-02T07:00:00.000Z'],
    // On the day on which clocks are set forward over it.
    ['2026-03-29 02:30', '2026-03-29T01:30:00.000Z'],
  ])('%j is read, without a zone of its own on the clocks of the place', (text, moment) => {
    expect(read(text)).toBe(moment);
  });

  it.each([
    '',
    'soon',
    '2017-02-30',
    '2027-02-31T10:00:00Z',
    '2027-06-31T10:00+02:00',
    '02/10/2027 15:45',
    '2.10.2027',
    '2017-13-01',
    '2017-10-02T25:00:00Z',
    '12',
    'tomorrow at 9:00, or so',
    'from monday to friday',
  ])('%j is none', (text) => {
    expect(read(text)).toBeUndefined();
  });
});
