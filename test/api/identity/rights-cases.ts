import type { HeldKind, Need, Needs, Where } from '../../../api/native/needs.js';
import type { Route } from '../../../api/native/route.js';
import type { ProblemCode } from '../../../domain/problems.js';
import { recordOf } from '../../../schemas/common/record-of.js';
import { managedKinds } from '../../../schemas/kinds.js';
import { made } from '../../support/made-kinds.js';
import { type Asking, type Send, sends } from './rights-table.js';
import type { RightsWorld, Who } from './rights-world.js';

/**
 * Who has which right in the world of rights, said once more in other words than those of the product. Of what belongs to
 * `owner` the group may USE it, and nobody has its ADMIN bit.
 */
const may = {
  /** VMs, services and templates: what admins of groups manage. */
  work: {
    use: ['owner', 'member', 'admin', 'oneadmin'],
    manage: ['owner', 'admin', 'oneadmin'],
    admin: ['oneadmin'],
    create: ['owner', 'member', 'admin', 'oneadmin'],
  },
  /** Networks: admins of groups manage them, and administrators make them. */
  wire: {
    use: ['owner', 'member', 'admin', 'oneadmin'],
    manage: ['owner', 'admin', 'oneadmin'],
    admin: ['oneadmin'],
    create: ['oneadmin'],
  },
  /** Hosts and clusters: they are no business of admins of groups. */
  place: {
    use: ['owner', 'member', 'admin', 'oneadmin'],
    manage: ['owner', 'oneadmin'],
    admin: ['oneadmin'],
    create: ['oneadmin'],
  },
  /** Another user of the group. */
  user: {
    use: ['admin', 'oneadmin'],
    manage: ['admin', 'oneadmin'],
    admin: ['admin', 'oneadmin'],
    create: ['admin', 'oneadmin'],
  },
  group: {
    use: ['owner', 'member', 'admin', 'oneadmin'],
    manage: ['admin', 'oneadmin'],
    admin: ['oneadmin'],
    create: ['oneadmin'],
  },
} as const satisfies Record<string, Record<string, readonly Who[]>>;

const sorts: Record<HeldKind, keyof typeof may> = {
  service: 'work',
  ...recordOf(managedKinds, (kind) => made[kind].as),
  vm: 'work',
  image: 'work',
  app: 'place',
  operation: 'work',
  user: 'user',
  group: 'group',
};

/** On the thing at a place, the path's `{id}` unless it says another. */
const whereOf = (need: Need): Where | null => {
  if (typeof need === 'string' || need[0] === 'see' || need[0] === 'create') return null;
  return typeof need[2] === 'object' ? need[2] : {};
};
export const placeOf = (need: Need): string | null => {
  const where = whereOf(need);
  return where && (where.at ?? 'id');
};

/** One request, as it is sent. */
export type Asked = { path: Record<string, number | string>; body?: object };

/** What stands at a place of a request; `*`: the first of a list. */
export function valueAt({ path, body }: Asked, place: string): unknown {
  if (!place.startsWith('/')) return path[place];
  const steps = place.slice(1).split('/');
  return steps.reduce<unknown>((at, step) => {
    if (Array.isArray(at)) return at[0];
    if (step === '*') return Object.values(at ?? {})[0];
    return typeof at === 'object' && at !== null ? new Map(Object.entries(at)).get(step) : undefined;
  }, body);
}

/** What there is to be tried of a route: as the table says, else with nothing but its path. */
export const casesOf = ({ id }: Route): readonly Send[] => sends[id] ?? [{}];

/** The request of somebody: things that the table does not name are fresh ones of the owner's. */
export async function askedBy(route: Route, send: Send, world: RightsWorld, who: Asking): Promise<Asked> {
  const path: Asked['path'] = { ...(await send.path?.(world, who)) };
  for (const [, name = ''] of route.path.matchAll(/\{(\w+)\}/g)) {
    if (name in path) continue;
    path[name] = send.self && name === 'id' ? world.ids[who] : await thing(route.needs, name, world);
  }
  const body = typeof send.body === 'function' ? await send.body(world, who) : send.body;
  return { path, ...(body && { body }) };
}

async function thing(needs: Needs, place: string, { fresh, team }: RightsWorld): Promise<number | string> {
  const need = needs.find((one) => placeOf(one) === place);
  if (need === undefined || typeof need === 'string') throw new Error(`nothing says what is to stand at {${place}}`);
  const [, kind] = need;
  if (kind === 'group') return team;
  if (kind === 'token') return fresh.token('owner');
  return kind === 'acl' ? fresh.rule() : fresh[kind]();
}

/** What one request needs of what its route may need. */
export function needsOf({ needs }: Route, send: Send, asked: Asked): Need[] {
  const its = needs.filter((need) => {
    const where = whereOf(need);
    if (where?.when !== undefined) return where.when === send.when;
    return where?.at === undefined || valueAt(asked, where.at) !== undefined;
  });
  const instead = its.filter((need) => whereOf(need)?.when !== undefined);
  return its.filter(
    (need) => instead.includes(need) || !instead.some((one) => one[1] === need[1] && placeOf(one) === placeOf(need)),
  );
}

/** Whether one of the five has what is needed. */
export function has(who: Who, need: Need, send: Send): boolean {
  if (need === 'credentials') return true;
  if (need === 'administrator') return who === 'oneadmin';
  const stated = send.has?.[placeOf(need) ?? ''];
  switch (need[0]) {
    case 'see':
      return true;
    case 'create': {
      const of: readonly Who[] = may[sorts[need[1]]].create;
      return of.includes(who);
    }
    case 'own':
      return who === 'owner';
    case 'concern':
      return who === 'owner' || who === 'oneadmin';
    default: {
      const [right, kind] = need;
      if (send.self && kind === 'user' && right !== 'admin') return true;
      const of: readonly Who[] = stated ?? may[sorts[kind]][right === 'stead' ? 'admin' : right];
      return of.includes(who);
    }
  }
}

/** Whether a list shows what is the owner's. */
export const sees = (who: Who, kind: HeldKind | 'acl'): boolean => {
  const of: readonly Who[] = kind === 'acl' ? ['owner', 'oneadmin'] : may[sorts[kind]].use;
  return of.includes(who);
};

/** As what a request is refused that lacks these. */
export function refusedAs(lacking: readonly Need[]): ProblemCode {
  const codes = lacking.map((need) => (need[0] === 'own' ? 'not_found' : 'not_authorized'));
  return codes.find((code) => code === 'not_authorized') ?? codes[0] ?? 'internal';
}

/** What the table has to try of a route and does not. */
export async function untried(route: Route, world: RightsWorld): Promise<string[]> {
  const cases = casesOf(route);
  const asked = await Promise.all(cases.map((send) => askedBy(route, send, world, 'oneadmin')));
  return route.needs.flatMap((need) => {
    const where = whereOf(need);
    const place = where?.at;
    const isTried =
      (where?.when === undefined || cases.some(({ when }) => when === where.when)) &&
      (place === undefined || asked.some((one) => valueAt(one, place) !== undefined)) &&
      (need[0] !== 'stead' || need[2] === undefined || cases.some(({ self }) => self));
    return isTried ? [] : [JSON.stringify(need)];
  });
}
