import { brief } from './brief.js';
import { listed } from './words.js';

/** Several roles that something is about: the first few by name, and how many more there are. */
export type Among = { roles: string[]; more: number };

const mostNamed = 3;
/** Characters of each name: three of the longest would fill a screen. */
const longestName = 40;

export function amongOf(roles: readonly string[]): Among {
  const all = [...new Set(roles)];
  const named = all.slice(0, mostNamed).map((name) => brief(name, longestName));
  return { roles: named, more: all.length - named.length };
}

/** `roles a and b`, `roles a, b, c and 4 more`; of one, `role a`. */
export function amongText({ roles, more }: Among): string {
  const text = more > 0 ? `${roles.join(', ')} and ${more} more` : listed(roles);
  return `${roles.length + more === 1 ? 'role' : 'roles'} ${text}`;
}
