import { describe, expect, it } from 'vitest';
import { cronFault } from '../../domain/cron.js';

describe('a recurrence', () => {
  it.each(['0 0 * * *', '*/5 9-17 1,15 jan-mar mon', '  59 23 31 12 0 ', '0 0 * * 7', '0 9 * * MON-FRI'])(
    'can be %j',
    (expression) => {
      expect(cronFault(expression)).toBeUndefined();
    },
  );

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
});
