import { InvalidArgumentError } from 'commander';
import type { Span } from '../schemas/hosts/simulator.js';
import { parseDuration, parseSpan } from './durations.js';

/** What commander calls with each option's text: a value, or a sentence that says what would be one. */

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 0 or more.');
  return Number(text);
}

export function port(text: string): number {
  const value = wholeNumber(text);
  if (value > 65_535) throw new InvalidArgumentError('It must be a port, 0 to 65535.');
  return value;
}

export function percent(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (text.trim() === '' || !(value >= 0 && value <= 100)) {
    throw new InvalidArgumentError('It must be a percentage, 0 to 100.');
  }
  return value;
}

export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It must be between 0 and 1.');
  return value;
}

export function duration(text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw new InvalidArgumentError('It must be a time such as 200ms, 2s or 5m.');
  return value;
}

export function span(text: string): Span {
  const value = parseSpan(text);
  if (value === undefined) throw new InvalidArgumentError('It must be a time such as 2s, or a range such as 500ms-2s.');
  return value;
}

export const ids = (text: string): number[] => text.split(',').map((part) => wholeNumber(part.trim()));
