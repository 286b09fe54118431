import type { HeldKind, Need } from '../../../api/native/needs.js';
import { ResourceType } from '../../../schemas/identity/acl.js';
import { kinds } from '../../../schemas/kinds.js';
import { type Asked, placeOf, valueAt } from './rights-cases.js';
import type { RightsWorld } from './rights-world.js';

const rights = ['use', 'manage', 'admin'] as const;
const everything = `${ResourceType.options.join('+')}/* USE+MANAGE+ADMIN+CREATE`;
const work = ResourceType.options.filter((type) => type !== 'USER' && type !== 'GROUP').join('+');
const all = (names: readonly string[]): string => names.map((name) => name.toUpperCase()).join('+');

/** The rules that give what is needed and nothing else; null: none do. */
export async function exactly(need: Need, asked: Asked, world: RightsWorld): Promise<string[] | null> {
  if (need === 'credentials') return [];
  if (need === 'administrator') return null;
  if (need[0] === 'see') return [];
  if (need[0] === 'own' || need[0] === 'concern') return null;
  if (need[0] === 'create') return [`${kinds[need[1]].acl}/* CREATE`];
  const on = await thing(need[1], placeOf(need), asked, world);
  if (need[0] !== 'stead') return [`${on} ${need[0].toUpperCase()}`];
  return asked.path.id === 0 ? null : [`${on} ADMIN`, ...membership(world)];
}

/** Rules that give everything on the same but what is needed; null: it cannot be lacking. */
export async function allBut(need: Need, asked: Asked, world: RightsWorld): Promise<string[] | null> {
  if (need === 'credentials') return null;
  if (need === 'administrator') return [everything];
  if (need[0] === 'see') return null;
  if (need[0] === 'own' || need[0] === 'concern') return [everything];
  if (need[0] === 'create') return [`${kinds[need[1]].acl}/* USE+MANAGE+ADMIN`];
  const on = await thing(need[1], placeOf(need), asked, world);
  if (need[0] === 'stead') return [`${on} USE+MANAGE`, ...membership(world)];
  return [`${on} ${all(rights.filter((right) => right !== need[0]))}`];
}

/** All that the users of the group have by it, and no right on any of them. Hosts and the like belong to no group: all of them. */
const membership = ({ team }: RightsWorld): string[] => [
  `${work}/* USE+MANAGE+ADMIN *`,
  `GROUP/#${team} USE *`,
  'VM+IMAGE+TEMPLATE+DOCUMENT/* CREATE *',
];

/** The thing that a right is needed on, as rules name it. */
async function thing(kind: HeldKind, place: string | null, asked: Asked, { store }: RightsWorld): Promise<string> {
  const id = String(valueAt(asked, place ?? ''));
  if (kind !== 'operation') return `${kinds[kind].acl}/#${id}`;
  // As on what it is about.
  const resource = (await store.operations.find(id))?.resource;
  return resource ? `${kinds[resource.type].acl}/#${resource.id}` : 'nothing';
}
