import { CronExpressionParser } from 'cron-parser';

/** Why this is no cron expression of five fields, or undefined when it is one. */
export function cronFault(expression: string): string | undefined {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5) return `has ${fields.length} fields instead of 5: minute, hour, day, month, weekday`;
  if (!/^[\w*,/-]+$/.test(fields.join(''))) return 'holds something else than names, numbers, *, comma, / and -';
  try {
    CronExpressionParser.parse(fields.join(' '));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
