import { idOf } from '../../../api/native/kind-words.js';
import { kinds, type ManagedKind, managedKinds, type OwnedKind, ownedKinds } from '../../../schemas/kinds.js';
import { made } from '../../support/made-kinds.js';
import { people, type RightsWorld, type Who } from './rights-world.js';

type Values = Record<string, number | string>;
export type Asking = Who | 'holder';

/** What is sent to a route. What its needs say is not repeated here: its `{id}` is that of a fresh thing of the owner's. */
export type Send = {
  /** The condition of a need that this meets. */
  when?: string;
  /** About whoever asks. */
  self?: true;
  path?: (world: RightsWorld, who: Asking) => Promise<Values>;
  body?: object | ((world: RightsWorld, who: Asking) => object | Promise<object>);
  /** Who has the rights on what stands there, where that is not the owner's. */
  has?: Record<string, readonly Who[]>;
};

const nobodyElse: readonly Who[] = ['oneadmin'];

/** chmod and chown of a kind: the same as it is, which takes the right all the same; and what takes more. */
function ownership(kind: OwnedKind): Record<string, Send[]> {
  /** Its owner has its ADMIN bit. */
  const withAdminBit: Send['path'] = async ({ fresh, ask }) => {
    const id = await fresh[kind]();
    await ask('oneadmin', 'post', `${kinds[kind].path}/${id}/chmod`, { octet: '740' });
    return { id };
  };
  return {
    [`chmod${idOf(kind)}`]: [{ body: { octet: '640' } }, { when: 'to change an ADMIN bit', body: { octet: '740' } }],
    [`chown${idOf(kind)}`]: [
      { body: ({ elsewhere }) => ({ gid: elsewhere }), has: { '/gid': ['other', 'oneadmin'] } },
      {
        when: 'where an ADMIN bit comes into other hands',
        path: withAdminBit,
        body: ({ ids }) => ({ uid: ids.other }),
        has: { '/uid': ['other', 'oneadmin'], id: ['owner', 'oneadmin'] },
      },
    ],
  };
}

/** What is asked of a kind that is made at once. */
function rowsOf(kind: ManagedKind): Record<string, Send[]> {
  const { replaced, body, patch } = made[kind];
  const noun = idOf(kind);
  const whole: Send[] = [
    // The VM template that is open to all, and one of the owner's.
    { body: ({ fresh, open }) => body(fresh.name(), open), has: { '/roles/*/vm_template': people } },
    ...(kind === 'service_template'
      ? [{ body: async ({ fresh }: RightsWorld) => body(fresh.name(), await fresh.vm_template()) }]
      : []),
  ];
  return {
    [`create${noun}`]: whole,
    ...(replaced && { [`replace${noun}`]: whole }),
    [`update${noun}`]: [{ body: patch(0) }],
  };
}

const rows: Record<string, Send[]> = Object.assign({}, ...managedKinds.map(rowsOf), ...ownedKinds.map(ownership));
const also = (id: string, ...more: Send[]): Record<string, Send[]> => ({ [id]: [...(rows[id] ?? []), ...more] });
/** An image that has a snapshot. */
async function imageWithSnapshot({ fresh, store }: RightsWorld): Promise<{ id: number; snapshot: number }> {
  const id = await fresh.image();
  const snapshot = { snapshot_id: 0, name: 'first', parent: null, taken_at: new Date() };
  const set = { format: 'qcow2', snapshots: { snapshots: [snapshot], current: 0, snapshot_ids: 1 } } as const;
  await store.images.model.updateOne({ _id: id }, { $set: set });
  return { id, snapshot: 0 };
}

const freshTemplate = async ({ fresh }: RightsWorld) => ({ template_id: await fresh.service_template() });
const otherTemplate = async ({ fresh }: RightsWorld) => ({
  merge_template: { roles: [{ name: 'web', vm_template: await fresh.vm_template() }] },
});

/** With a network that is there, and with one that is reserved of another. */
const chosenNetwork = async ({ fresh }: RightsWorld) => networkAs({ network_id: await fresh.network() });
const reservedNetwork = async (world: RightsWorld) => networkAs({ reserve_from: (await rangeOf(world)).id, size: 1 });
const networkOfTemplate = async ({ fresh }: RightsWorld) => networkAs({ template_id: await fresh.network_template() });
const networkAs = (choice: object) => ({
  merge_template: { networks: { Own: 'M|network|Any' } },
  networks: { Own: choice },
});

const rangeOf = async ({ fresh, ask }: Pick<RightsWorld, 'fresh' | 'ask'>) => {
  const id = await fresh.network();
  await ask('oneadmin', 'post', `/virtual-networks/${id}/address-ranges`, { type: 'IP4', ip: '10.0.0.1', size: 4 });
  return { id, range: 0 };
};
const networkWithRange: Send['path'] = rangeOf;

/** What is sent where nothing else would say it. */
export const sends: Record<string, readonly Send[]> = {
  ...rows,
  ...also('updateServiceTemplate', {
    body: async ({ fresh }) => ({ roles: [{ name: 'web', vm_template: await fresh.vm_template() }] }),
  }),
  ...also('createHost', {
    body: async ({ fresh }) => ({ ...made.host.body(fresh.name(), 0), cluster_id: await fresh.cluster() }),
  }),
  cleanHost: [{ body: {} }],
  importWild: [{ body: { wild: 'one-12' } }],
  ...also('updateHost', { body: async ({ fresh }) => ({ cluster_id: await fresh.cluster() }) }),

  ...also('createDatastore', {
    body: async ({ fresh }) => ({ ...made.datastore.body(fresh.name(), 0), cluster_ids: [await fresh.cluster()] }),
  }),
  ...also('updateDatastore', { body: async ({ fresh }) => ({ cluster_ids: [await fresh.cluster()] }) }),

  createImage: [
    { body: ({ fresh }) => ({ name: fresh.name(), source: { empty: { size_mb: 1 } } }) },
    {
      body: async ({ fresh }) => ({
        ...{ name: fresh.name(), source: { empty: { size_mb: 1 } }, datastore_id: await fresh.datastore() },
      }),
    },
  ],
  updateImage: [{ body: { description: 'changed' } }],
  resizeImage: [{ body: { size_mb: 20 } }],
  cloneImage: [
    { body: ({ fresh }) => ({ name: fresh.name() }) },
    { body: async ({ fresh }) => ({ name: fresh.name(), datastore_id: await fresh.datastore() }) },
  ],

  publishApp: [
    {
      body: async ({ fresh }) => ({
        ...{ name: fresh.name(), market_id: await fresh.market(), image_id: await fresh.image() },
      }),
    },
    {
      body: async ({ fresh, store, withDisk }) => {
        const vm_template_id = await fresh.vm_template();
        const DISK = [{ IMAGE_ID: withDisk.image }];
        await store.vmTemplates.model.updateOne({ _id: vm_template_id }, { $set: { 'template.DISK': DISK } });
        return { name: fresh.name(), market_id: await fresh.market(), vm_template_id };
      },
    },
    {
      body: async ({ fresh, store, withDisk }) => {
        const service_template_id = await fresh.service_template();
        const $set = { 'body.roles.0.vm_template': withDisk.template };
        await store.serviceTemplates.model.updateOne({ _id: service_template_id }, { $set });
        return { name: fresh.name(), market_id: await fresh.market(), service_template_id };
      },
    },
  ],
  updateApp: [{ body: { description: 'changed' } }],
  exportApp: [
    { body: ({ fresh }) => ({ name: fresh.name() }) },
    { body: async ({ fresh }) => ({ name: fresh.name(), datastore_id: await fresh.datastore() }) },
  ],

  showServiceTemplateRevision: [{ path: async () => ({ revision: 1 }) }],
  cloneServiceTemplate: [{ body: ({ fresh }) => ({ name: fresh.name() }) }],
  updateService: [{ body: { name: 'renamed' } }],
  instantiateServiceTemplate: [
    ...[{ body: {} }, { body: otherTemplate }],
    ...[{ body: chosenNetwork }, { body: reservedNetwork }, { body: networkOfTemplate }],
  ],
  createService: [
    { body: freshTemplate },
    ...[otherTemplate, chosenNetwork, reservedNetwork, networkOfTemplate].map((more) => ({
      body: async (world: RightsWorld) => ({ ...(await freshTemplate(world)), ...(await more(world)) }),
    })),
  ],
  createVm: [{ body: async ({ fresh }) => ({ template_id: await fresh.vm_template() }) }],
  updateVm: [{ body: { user_template: { READY: 'YES' } } }, { body: { name: 'renamed' } }],
  resizeVm: [{ body: { memory: 64 } }],
  configureVm: [{ body: { template: {} } }],
  recoverVm: [
    { body: { action: 'retry' } },
    ...(['success', 'failure'] as const).map((action) => ({
      when: 'for `success` and `failure`, and to skip an action',
      body: { action },
    })),
    {
      when: 'for `success` and `failure`, and to skip an action',
      body: { action: 'retry', interactive: { answer: 'skip', session: 1, number: 1 } },
    },
    { body: { action: 'retry', interactive: { answer: 'run', session: 1, number: 1 } } },
  ],
  scaleRole: [{ path: async () => ({ role: 'web' }), body: { cardinality: 2 } }],
  addRole: [
    { body: ({ open }) => ({ name: 'cache', vm_template: open }), has: { '/vm_template': people } },
    { body: async ({ fresh }) => ({ name: 'cache', vm_template: await fresh.vm_template() }) },
  ],
  removeRole: [{ path: async () => ({ role: 'web' }), body: {} }],
  performOnRole: [{ path: async () => ({ role: 'web' }), body: { action: 'resume' } }],
  performOnVm: [{ body: { action: 'reboot' } }],
  deployVm: [{ body: async ({ fresh }) => ({ host: await fresh.host() }), has: { '/host': ['oneadmin'] } }],
  migrateVm: [
    { body: {} },
    { body: async ({ fresh }) => ({ host: await fresh.host() }), has: { '/host': ['oneadmin'] } },
  ],
  addRange: [{ body: { type: 'ETHER', size: 1 } }],
  resizeRange: [{ path: networkWithRange, body: { size: 2 } }],
  removeRange: [{ path: networkWithRange }],
  holdAddress: [{ path: networkWithRange, body: { ip: '10.0.0.1' } }],
  releaseAddress: [{ path: networkWithRange, body: { ip: '10.0.0.1' } }],
  instantiateNetworkTemplate: [{ body: ({ fresh }) => ({ name: fresh.name() }) }],
  reserveAddresses: [
    { path: networkWithRange, body: ({ fresh }) => ({ name: fresh.name(), size: 1 }) },
    {
      path: networkWithRange,
      body: async ({ fresh }) => ({ network_id: await fresh.network(), size: 1 }),
    },
  ],
  attachNic: [
    {
      body: async ({ fresh, ask }) => {
        const { id } = await rangeOf({ fresh, ask });
        await ask('oneadmin', 'post', `/virtual-networks/${id}/chmod`, { octet: '604' });
        return { network: id };
      },
    },
  ],
  detachNic: [{ path: async () => ({ nic: 0 }) }],
  attachDisk: [{ body: { type: 'fs', size: 10 } }],
  detachDisk: [{ path: async () => ({ disk: 0 }) }],
  resizeDisk: [{ path: async () => ({ disk: 0 }), body: { size: 20 } }],
  saveDisk: [
    { path: async () => ({ disk: 0 }), body: ({ fresh }) => ({ name: fresh.name() }) },
    {
      path: async () => ({ disk: 0 }),
      body: async ({ fresh }) => ({ name: fresh.name(), datastore_id: await fresh.datastore() }),
    },
  ],
  restoreDisk: [{ path: async () => ({ disk: 0 }), body: async ({ fresh }) => ({ image_id: await fresh.image() }) }],
  snapshotDisk: [{ path: async () => ({ disk: 0 }), body: { name: 'first' } }],
  revertImageSnapshot: [{ path: imageWithSnapshot }],
  deleteImageSnapshot: [{ path: imageWithSnapshot }],
  flattenImageSnapshot: [{ path: imageWithSnapshot }],
  revertDiskSnapshot: [{ path: async () => ({ disk: 0, snapshot: 0 }) }],
  deleteDiskSnapshot: [{ path: async () => ({ disk: 0, snapshot: 0 }) }],
  performOnService: [{ body: { action: 'resume' } }],
  showPolicies: [{ path: async () => ({ role: 'web' }) }],
  replacePolicies: [{ path: async () => ({ role: 'web' }), body: { elasticity_policies: [] } }],
  pausePolicy: [{ path: async () => ({ role: 'web', policy: 0 }), body: {} }],
  resumePolicy: [{ path: async () => ({ role: 'web', policy: 0 }) }],
  showSchedules: [{ path: async () => ({ role: 'web' }) }],
  replaceSchedules: [{ path: async () => ({ role: 'web' }), body: { scheduled_policies: [] } }],
  pauseSchedule: [{ path: async () => ({ role: 'web', schedule: 0 }), body: {} }],
  resumeSchedule: [{ path: async () => ({ role: 'web', schedule: 0 }) }],
  addVmSchedule: [
    { body: { action: 'resume', recurrence: '0 6 * * *' } },
    {
      when: 'for `migrate`, `resched` and `unresched`',
      body: { action: 'resched', recurrence: '0 6 * * *' },
    },
  ],
  removeVmSchedule: [{ path: async ({ fresh }) => ({ id: await fresh.vm(), schedule: 0 }) }],
  answerOperation: [{ body: { answer: 'retry' } }],
  showConsistencyCheck: [{ path: async ({ check }) => ({ id: check }) }],

  updateDefaultQuotas: [{ body: { users: { vms: -2 } } }],
  showUserQuota: [{}, { self: true }],
  updateUserQuota: [{ body: { vms: 5 } }],
  updateGroupQuota: [{ body: { services: -1 } }],

  createUser: [
    { body: ({ team, fresh }) => ({ name: fresh.name(), password: 'long-enough', gid: team }) },
    {
      body: async ({ team, fresh }) => ({
        ...{ name: fresh.name(), password: 'long-enough', gid: team, groups: [(await fresh.group()).id] },
      }),
      has: { '/groups/*': nobodyElse },
    },
  ],
  showUser: [{}, { self: true }],
  updateUser: [
    { body: { umask: '077' } },
    { body: { enabled: false } },
    { body: async ({ fresh }) => ({ gid: (await fresh.group()).id }), has: { '/gid': nobodyElse } },
    { self: true, body: { umask: '137' } },
    { self: true, body: { attributes: { SSH_PUBLIC_KEY: 'ssh-ed25519 AAAA alice' } } },
  ],
  setPassword: [
    { body: { password: 'long-enough' } },
    { self: true, body: ({ names }, who) => ({ password: names[who], current_password: names[who] }) },
  ],

  createGroup: [{ body: ({ fresh }) => ({ name: fresh.name() }) }],
  updateGroup: [{ body: { shared_view: false } }],
  addGroupAdmin: [{ path: async ({ ids }) => ({ user_id: ids.admin }) }],
  removeGroupAdmin: [
    {
      path: async ({ fresh }) => {
        const { id, user } = await fresh.group();
        return { id, user_id: user };
      },
    },
  ],

  createAcl: [{ body: ({ ids, fresh }) => ({ rule: `#${ids.owner} VM/#${fresh.name().slice(5)} USE` }) }],

  // To whom it is about, it is there all the same.
  deleteAcl: [{ path: async ({ fresh }) => ({ id: await fresh.rule() }) }],

  createToken: [{ body: { name: 'pipeline' } }],
  listUserTokens: [{}, { self: true }],
  revokeUserToken: [
    {
      path: async ({ fresh }) => {
        const id = await fresh.user();
        return { id, token_id: await fresh.tokenOf(id) };
      },
    },
    { self: true, path: async ({ fresh, ids }, who) => ({ id: ids[who], token_id: await fresh.token(who) }) },
    {
      // Of an administrator's tokens no admin of a group takes any.
      path: async ({ fresh }) => ({ id: 0, token_id: await fresh.token('oneadmin') }),
      has: { id: nobodyElse },
    },
  ],
};
