import { limits } from '../schemas/common/limits.js';

/**
 * Characters of what something says of its failure. What is said goes into histories, whose messages have a limit, and
 * into lists that people read: whoever needs more looks at the backend itself.
 */
export const longest = {
  /** Of one VM: fifty of them come in one step's result. */
  vm: limits.quoted.most,
  /** Of a role: a service has up to a thousand. */
  role: limits.roleReason.most,
  /** Of an operation, or of a step that failed. */
  operation: limits.operationReason.most,
  /** Of what operators read beside a step in the engine's own pages. */
  summary: 200,
} as const;

/** The beginning of a text that is longer than that, and that there was more. */
export function brief(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most - 2);
  // Half of a pair of surrogates is no character.
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut} …`;
}
