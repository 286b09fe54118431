import { CronExpressionParser } from 'cron-parser';

/** Why this is no cron expression of five fields, or undefined when it is one. */
export function cronFault(expression: string): string | undefined {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5) return `has ${fields.length} fields instead of 5: minute, hour, day, month, weekday`;
  // cron-parser also knows L, H, # and ?, which no OneFlow client writes and Temporal's calendars do not have.
  if (!/^(?:[a-z]{3}|[\d*,/-])+$/i.test(fields.join('')))
    return 'holds more than numbers, names of months and weekdays, and * , / -';
  try {
    CronExpressionParser.parse(fields.join(' '));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
