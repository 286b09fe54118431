import { kinds } from '../../schemas/kinds.js';
import type { Need, Needs, Oneself } from './needs.js';

/** Who has a right without anybody having given it. */
const given: Record<string, string> = {
  'use user': ', which everybody has on himself',
  'use group': ', which its members have',
  'use operation': ', which is as that on its service or VM',
  'manage operation': ', which is as that on its service or VM',
};

const ofOneself: Record<Oneself, string> = {
  settings: 'but nothing for your own umask and attributes',
  password: 'but your current password for your own',
  tokens: 'but nothing for your own',
};

/** What a route needs, as the end of a sentence: `MANAGE on the VM, but ADMIN for …`. */
export function needsInWords(needs: Needs): string {
  const parts: string[] = [];
  for (const need of needs) {
    const instead = insteadWords(need);
    if (instead === null) parts.push(words(need));
    else parts.push(`${parts.pop()}, but ${instead}`);
  }
  const last = parts.pop() ?? '';
  if (parts.length === 0) return last;
  const between = [...parts, last].some((part) => part.includes(',')) ? ';' : ',';
  return `${parts.join(`${between} `)}${between} and ${last}`;
}

function insteadWords(need: Need): string | null {
  if (typeof need === 'string') return null;
  const [right, , where] = need;
  return typeof where === 'object' && where.when !== undefined ? `${right.toUpperCase()} ${where.when}` : null;
}

function words(need: Need): string {
  if (need === 'credentials') return 'none';
  if (need === 'administrator') return 'to be an administrator';
  switch (need[0]) {
    case 'see': {
      const [, kind, its] = need;
      if (kind === 'acl') return 'none; it shows the rules that are about you, and all to administrators';
      return `none; it shows the ${its === undefined ? '' : `${its} of `}${kinds[kind].several} on ${kind === 'user' ? 'whom' : 'which'} you have USE`;
    }
    case 'create':
      return `CREATE on ${kinds[need[1]].acl}${need[1] === 'user' ? ' in the primary group' : ''}`;
    case 'stead':
      return ['to act in the user’s stead', ...(need[2] === undefined ? [] : [ofOneself[need[2]]])].join(', ');
    case 'own':
      return 'that the token is yours';
    case 'concern':
      return 'that the rule is about you, or to be an administrator';
    default: {
      const [right, kind, where] = need;
      const what = where?.as ?? `the ${kinds[kind].one}${given[`${right} ${kind}`] ?? ''}`;
      return `${right.toUpperCase()} on ${what}`;
    }
  }
}
