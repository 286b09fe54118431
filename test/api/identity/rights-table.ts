import { idOf } from '../../../api/native/kind-words.js';
import { type ManagedKind, managedKinds, type OwnedKind } from '../../../schemas/kinds.js';
import { made } from '../../support/made-kinds.js';
import type { RightsWorld, Who } from './rights-world.js';

/**
 * Who may do what to what there is in the world of rights, said once more in other words than those of the product. Of
 * what belongs to `owner` the group may USE it, and nobody has its ADMIN bit.
 */
const may = {
  anything: { ask: ['owner', 'member', 'admin', 'other', 'oneadmin'] },
  zone: { administer: ['oneadmin'] },
  /** VMs, services and templates: what admins of groups manage. */
  work: {
    use: ['owner', 'member', 'admin', 'oneadmin'],
    manage: ['owner', 'admin', 'oneadmin'],
    admin: ['oneadmin'],
    create: ['owner', 'member', 'admin', 'oneadmin'],
  },
  /** Hosts and clusters: they are no business of admins of groups. */
  place: {
    use: ['owner', 'member', 'admin', 'oneadmin'],
    manage: ['owner', 'oneadmin'],
    admin: ['oneadmin'],
    create: ['oneadmin'],
  },
  /** Another user of the group. */
  user: { use: ['admin', 'oneadmin'], command: ['admin', 'oneadmin'], create: ['admin', 'oneadmin'] },
  group: { use: ['owner', 'member', 'admin', 'oneadmin'], admin: ['oneadmin'], create: ['oneadmin'] },
  /** A rule about `owner`. */
  rule: { see: ['owner', 'oneadmin'], admin: ['oneadmin'] },
} as const satisfies Record<string, Record<string, readonly Who[]>>;

type Need = { [On in keyof typeof may]: `${Extract<keyof (typeof may)[On], string>} ${On}` }[keyof typeof may];

/** One way to ask a route. Several needs: each of them. */
export type Case = {
  needs: readonly Need[];
  /** The values of the path and the body, for one request of this person. */
  request: (world: RightsWorld, who: Who) => Promise<{ path?: Record<string, number | string>; body?: object }>;
  /** Of a list: what it shows to those who may USE it, and to nobody else. */
  shows?: { need: Need; id: (world: RightsWorld) => Promise<number | string> };
};

/** Whether somebody may, by the table above. */
export function isGranted(needs: readonly Need[], who: Who): boolean {
  return needs.every((need) => {
    const [right = '', on = ''] = need.split(' ');
    const rights: Record<string, Record<string, readonly Who[]>> = may;
    return rights[on]?.[right]?.includes(who) ?? false;
  });
}

type Kind = Exclude<keyof RightsWorld['fresh'], 'group' | 'token' | 'name'>;
const anybody: readonly Need[] = ['ask anything'];
const plain =
  (body?: object): Case['request'] =>
  async () =>
    body ? { body } : {};

/** About a fresh object of a kind. */
const on = (kind: Kind, need: Need, body?: object): Case[] => [
  {
    needs: [need],
    request: async ({ fresh }) => ({ path: { id: await fresh[kind]() }, ...(body && { body }) }),
  },
];
const list = (kind: Kind, need: Need): Case[] => [
  { needs: anybody, request: plain(), shows: { need, id: ({ fresh }) => fresh[kind]() } },
];
const named = (needs: readonly Need[], body: (world: RightsWorld, name: string) => object): Case[] => [
  { needs, request: async (world) => ({ body: body(world, world.fresh.name()) }) },
];
const ask = (needs: readonly Need[], body?: object): Case[] => [{ needs, request: plain(body) }];
const ofTeam = (need: Need, body?: object): Case[] => [
  { needs: [need], request: async ({ team }) => ({ path: { id: team }, ...(body && { body }) }) },
];
const self = (body?: (world: RightsWorld, who: Who) => object): Case => ({
  needs: anybody,
  request: async (world, who) => ({ path: { id: world.ids[who] }, ...(body && { body: body(world, who) }) }),
});
/** chmod and chown of a kind: the same as it is, which takes the right all the same. */
const ownership = (kind: OwnedKind, need: Need): Record<string, Case[]> => ({
  [`chmod${idOf(kind)}`]: on(kind, need, { octet: '640' }),
  [`chown${idOf(kind)}`]: [
    { needs: [need], request: async ({ fresh, team }) => ({ path: { id: await fresh[kind]() }, body: { gid: team } }) },
  ],
});

/** What is asked of a kind that is made at once. */
function rowsOf(kind: ManagedKind): Record<string, Case[]> {
  const { as, replaced, body, patch } = made[kind];
  const noun = idOf(kind);
  const edit = as === 'work' ? 'manage work' : 'admin place';
  return {
    [`list${noun}s`]: list(kind, `use ${as}`),
    [`create${noun}`]: named([`create ${as}`], ({ open }, name) => body(name, open)),
    [`show${noun}`]: on(kind, `use ${as}`),
    [`update${noun}`]: on(kind, edit, patch(0)),
    ...(replaced && {
      [`replace${noun}`]: [
        {
          needs: [edit],
          request: async ({ fresh, open }) => ({ path: { id: await fresh[kind]() }, body: body(fresh.name(), open) }),
        },
      ],
    }),
    [`delete${noun}`]: on(kind, edit),
    ...ownership(kind, `manage ${as}`),
  };
}

/** Every route of the API, and the right that it takes on what. */
export const rightsTable: Record<string, Case[]> = {
  ...Object.assign({}, ...managedKinds.map(rowsOf)),
  instantiateServiceTemplate: on('service_template', 'use work', {}),

  listServices: list('service', 'use work'),
  createService: [
    {
      needs: ['create work', 'use work'],
      request: async ({ fresh }) => ({ body: { template_id: await fresh.service_template() } }),
    },
  ],
  showService: on('service', 'use work'),
  whyService: on('service', 'use work'),
  listServiceOperations: on('service', 'use work'),
  undeployService: on('service', 'manage work', {}),
  recoverService: on('service', 'manage work'),
  repairService: on('service', 'manage work'),
  deleteService: on('service', 'manage work'),
  ...ownership('service', 'manage work'),

  listVms: list('vm', 'use work'),
  createVm: [
    {
      needs: ['create work', 'use work'],
      request: async ({ fresh }) => ({ body: { template_id: await fresh.vm_template() } }),
    },
  ],
  showVm: on('vm', 'use work'),
  whyVm: on('vm', 'use work'),
  showVmPlacement: on('vm', 'use work'),
  listVmOperations: on('vm', 'use work'),
  updateVm: on('vm', 'manage work', { user_template: { READY: 'YES' } }),
  terminateVm: on('vm', 'manage work', {}),
  resumeVm: on('vm', 'manage work'),
  recoverVm: [
    ...on('vm', 'manage work', { action: 'retry' }),
    ...on('vm', 'admin work', { action: 'success' }),
    ...on('vm', 'admin work', { action: 'failure' }),
  ],
  ...ownership('vm', 'manage work'),

  whyHost: on('host', 'use place'),

  listOperations: list('operation', 'use work'),
  showOperation: on('operation', 'use work'),
  whyOperation: on('operation', 'use work'),
  cancelOperation: on('operation', 'manage work'),
  answerOperation: on('operation', 'manage work', { answer: 'retry' }),
  retryOperation: on('operation', 'manage work'),

  checkConsistency: ask(['administer zone'], {}),
  listConsistencyChecks: ask(['administer zone']),
  showConsistencyCheck: [{ needs: ['administer zone'], request: async ({ check }) => ({ path: { id: check } }) }],

  showOwnQuotas: ask(anybody),
  showDefaultQuotas: ask(anybody),
  updateDefaultQuotas: ask(['administer zone'], { users: { vms: -2 } }),
  listUserQuotas: ask(anybody),
  showUserQuota: [...on('user', 'use user'), self()],
  updateUserQuota: on('user', 'command user', { vms: 5 }),
  listGroupQuotas: ask(anybody),
  showGroupQuota: ofTeam('use group'),
  updateGroupQuota: ofTeam('admin group', { services: -1 }),

  showSelf: ask(anybody),
  listUsers: list('user', 'use user'),
  createUser: named(['create user'], ({ team }, name) => ({ name, password: 'long-enough', gid: team })),
  showUser: [...on('user', 'use user'), self()],
  updateUser: [
    ...on('user', 'command user', { umask: '077' }),
    ...on('user', 'command user', { enabled: false }),
    self(() => ({ umask: '137' })),
  ],
  deleteUser: on('user', 'command user'),
  setPassword: [...on('user', 'command user', { password: 'long-enough' })],
  joinGroup: [
    {
      needs: ['command user'],
      request: async ({ fresh, team }) => ({ path: { id: await fresh.user(), group_id: team } }),
    },
  ],
  leaveGroup: [
    {
      needs: ['command user'],
      request: async ({ fresh, team }) => ({ path: { id: await fresh.user(), group_id: team } }),
    },
  ],

  listGroups: [{ needs: anybody, request: plain(), shows: { need: 'use group', id: async ({ team }) => team } }],
  createGroup: named(['create group'], (_world, name) => ({ name })),
  showGroup: ofTeam('use group'),
  updateGroup: ofTeam('admin group', { shared_view: false }),
  deleteGroup: ofTeam('admin group'),
  addGroupAdmin: [
    {
      needs: ['admin group'],
      request: async ({ team, ids }, who) => ({
        path: { id: team, user_id: who === 'oneadmin' ? ids.admin : ids[who] },
      }),
    },
  ],
  removeGroupAdmin: [
    {
      needs: ['admin group'],
      request: async ({ fresh }) => {
        const { id, user } = await fresh.group();
        return { path: { id, user_id: user } };
      },
    },
  ],

  listAcls: list('rule', 'see rule'),
  createAcl: named(['administer zone'], ({ ids }, name) => ({ rule: `#${ids.owner} VM/#${name.slice(5)} USE` })),
  showAcl: on('rule', 'see rule'),
  deleteAcl: on('rule', 'admin rule'),

  listTokens: ask(anybody),
  createToken: ask(anybody, { name: 'pipeline' }),
  showToken: [{ needs: anybody, request: async ({ fresh }, who) => ({ path: { id: await fresh.token(who) } }) }],
  revokeToken: [{ needs: anybody, request: async ({ fresh }, who) => ({ path: { id: await fresh.token(who) } }) }],
  listUserTokens: [...on('user', 'command user'), self()],
  revokeUserToken: [
    {
      needs: anybody,
      request: async ({ fresh, ids }, who) => ({ path: { id: ids[who], token_id: await fresh.token(who) } }),
    },
    {
      // Of an administrator's tokens no admin of a group takes any.
      needs: ['administer zone'],
      request: async ({ fresh }) => ({ path: { id: 0, token_id: await fresh.token('oneadmin') } }),
    },
  ],
};
