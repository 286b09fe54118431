import { AclRight, type AclRule, ResourceType } from '../../schemas/identity/acl.js';
import { localZone } from './zone.js';

/** Kinds that belong to a cluster, and so can be selected by one. */
const clustered = ['HOST', 'NET', 'DATASTORE'] as const satisfies readonly ResourceType[];
export type Clustered = (typeof clustered)[number];
export const isClustered = (type: ResourceType): type is Clustered => clustered.some((one) => one === type);
/** Kinds that belong to no group. */
const groupless: readonly ResourceType[] = ['HOST', 'GROUP', 'CLUSTER', 'ZONE', 'VDC'];
/** Kinds whose ids mean the same object in every zone. */
const federated: readonly ResourceType[] = ['USER', 'GROUP', 'ACL', 'ZONE', 'VDC', 'MARKETPLACE', 'MARKETPLACEAPP'];

const example = '`@100 VM+DOCUMENT/@100 USE+MANAGE #0`';

export type ParsedAcl = { ok: true; rule: AclRule } | { ok: false; faults: string[] };

/** A rule in OpenNebula's text, or everything that is wrong with it, each as a predicate (“must …”). */
export function parseAcl(text: string): ParsedAcl {
  const words = text.trim().split(/\s+/);
  const [who = '', what = '', rightsText = '', zoneText, ...more] = words;
  if (words.length < 3 || more.length > 0)
    return { ok: false, faults: [`must be user, resources/selector, rights and perhaps a zone, such as ${example}`] };
  const faults: string[] = [];
  const fault = (sentence: string): null => {
    faults.push(sentence);
    return null;
  };
  const user = userOf(who) ?? fault(`must begin with a user as #id, @group or *, not ${JSON.stringify(who)}`);
  const zone = zoneOf(zoneText);
  if (zone === undefined) fault(`must end with a zone as #id or *, not ${JSON.stringify(zoneText)}`);
  const slash = what.indexOf('/');
  const types = slash < 1 ? [] : wordsOf(what.slice(0, slash), ResourceType.options, 'a kind of resource', fault);
  const chosen = slash < 1 ? '' : what.slice(slash + 1);
  if (slash < 1)
    fault(`must name resources and a selector with a / between, such as VM/#5, not ${JSON.stringify(what)}`);
  const selector =
    slash < 1
      ? null
      : (selectorOf(chosen) ?? fault(`must select by #id, @group, %cluster or *, not ${JSON.stringify(chosen)}`));
  const rights = wordsOf(rightsText.toLowerCase(), AclRight.options, 'a right', fault);
  if (selector) for (const sentence of mismatches(types, selector, zone ?? null)) fault(sentence);
  return user && selector && zone !== undefined && faults.length === 0
    ? { ok: true, rule: { user, types, selector, rights, zone } }
    : { ok: false, faults };
}

/** The rule in OpenNebula's text, which `parseAcl` reads as the same rule. */
export function printAcl({ user, types, selector, rights, zone }: AclRule): string {
  const who = user.kind === 'all' ? '*' : `${user.kind === 'user' ? '#' : '@'}${user.id}`;
  const which = selector.kind === 'all' ? '*' : `${signs[selector.kind]}${selector.id}`;
  const what = `${types.join('+')}/${which}`;
  return `${who} ${what} ${rights.join('+').toUpperCase()} ${zone === null ? '*' : `#${zone}`}`;
}

const signs = { id: '#', group: '@', cluster: '%' } as const;

function userOf(text: string): AclRule['user'] | null {
  if (text === '*') return { kind: 'all' };
  const [, sign, digits] = /^([#@])(0|[1-9]\d{0,8})$/.exec(text) ?? [];
  return digits === undefined ? null : { kind: sign === '#' ? 'user' : 'group', id: Number(digits) };
}

function selectorOf(text: string): AclRule['selector'] | null {
  if (text === '*') return { kind: 'all' };
  const [, sign, digits] = /^([#@%])(0|[1-9]\d{0,8})$/.exec(text) ?? [];
  if (digits === undefined) return null;
  return { kind: sign === '#' ? 'id' : sign === '@' ? 'group' : 'cluster', id: Number(digits) };
}

/** Absent: this zone, as in OpenNebula. undefined: it is none. */
function zoneOf(text: string | undefined): number | null | undefined {
  if (text === undefined) return localZone;
  if (text === '*') return null;
  const [, digits] = /^#(0|[1-9]\d{0,8})$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Words joined by +, each of which must be known; none twice. */
function wordsOf<W extends string>(
  text: string,
  known: readonly W[],
  noun: string,
  fault: (sentence: string) => null,
): W[] {
  const found = new Set<W>();
  for (const word of text.split('+')) {
    const match = known.find((one) => one === word);
    if (match !== undefined) found.add(match);
    else fault(`must not name ${JSON.stringify(word)}, which is not ${noun}: there are ${known.join(', ')}`);
  }
  return known.filter((word) => found.has(word));
}

/** What OpenNebula calls malformed though each part is well formed. */
function mismatches(types: readonly ResourceType[], selector: AclRule['selector'], zone: number | null): string[] {
  const not = (allowed: (type: ResourceType) => boolean): string => types.filter((type) => !allowed(type)).join(', ');
  switch (selector.kind) {
    case 'cluster': {
      const wrong = not(isClustered);
      return wrong ? [`must not select ${wrong} by cluster: only ${clustered.join(', ')} have one`] : [];
    }
    case 'group': {
      const wrong = not((type) => !groupless.includes(type));
      return wrong ? [`must not select ${wrong} by group: they belong to none`] : [];
    }
    case 'id': {
      const wrong = zone === null ? not((type) => federated.includes(type)) : '';
      return wrong ? [`must name a zone for ${wrong}/#${selector.id}: the id is another object in each zone`] : [];
    }
    case 'all':
      return [];
  }
}
