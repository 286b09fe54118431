import type { Span } from '../schemas/hosts/simulator.js';

const factors: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `200ms`, `1.5s`, `2m`, `1h`, or of a plain number, which means milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim()) ?? [];
  const factor = factors[unit];
  return amount === undefined || factor === undefined ? undefined : Math.round(Number(amount) * factor);
}

/** The same, or two of them with a dash between: `500ms-2s`. */
export function parseSpan(text: string): Span | undefined {
  const [first = '', second, ...more] = text.split('-');
  const min = parseDuration(first);
  if (second === undefined || min === undefined) return min;
  const max = parseDuration(second);
  return max === undefined || more.length > 0 || min > max ? undefined : { min, max };
}

export const spanText = (span: Span): string =>
  typeof span === 'number' ? `${span} ms` : `${span.min}-${span.max} ms`;
