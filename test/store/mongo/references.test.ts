import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../../../domain/identity/caller.js';
import { permissionsOf } from '../../../domain/identity/permission-bits.js';
import { problemOf } from '../../../domain/problems.js';
import { ensureOneadmin } from '../../../requests/identity/first-user.js';
import { createOperations, type Operations } from '../../../requests/operations.js';
import { unconditional } from '../../../requests/precondition.js';
import type { StoredAcl } from '../../../schemas/identity/acl.js';
import type { QuotaEdit, UserQuotaEdit } from '../../../schemas/identity/quota.js';
import { ServiceTemplateBody } from '../../../schemas/services/service-template.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { createDirectory, type MongodbDirectory } from '../../../store/identity/mongodb-directory.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { inLanes } from '../../chaos/starting-racers.js';
import { idleEngine } from '../../support/idle-engine.js';
import { noSealer, noStorages } from '../../support/no-storages.js';
import { makeOwnedService } from '../../support/owned-service.js';
import { addGroup, addUser } from '../../support/people.js';
import { ownDatabaseUri } from '../../support/servers.js';

const oneadmin: Caller = { id: 0, name: 'oneadmin', gid: 0, groups: [0], rules: [] };
const admission = { requestId: 'test' };
const rounds = 6;

/** What a process of Arcus has of its own: a connection, and with it the turns that its writes take. */
type Process = { connection: Connection; store: Store; directory: MongodbDirectory; operations: Operations };
let one: Process;
let other: Process;
const processOn = async (uri: string): Promise<Process> => {
  const connection = await connectMongodb(uri);
  const [store, directory] = [createStore(connection), createDirectory(connection)];
  const operations = createOperations({
    ...{ store, directory, engine: idleEngine, onDelayed: () => {} },
    settings: { temporalUiUrl: undefined, failedLogins: 10 },
    storages: noStorages,
    sealer: noSealer,
  });
  return { connection, store, directory, operations };
};

beforeAll(async () => {
  const uri = ownDatabaseUri('references');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  [one, other] = [await processOn(uri), await processOn(uri)];
  await ensureOneadmin(one.directory, 'oneadmin');
});
afterAll(async () => {
  await one.connection.dropDatabase();
  await Promise.all([one.connection.close(), other.connection.close()]);
});

let made = 0;
const name = (): string => `made-${made++}`;
const newGroup = async (): Promise<number> => (await addGroup(one.directory, name()))._id;
/** Who may do anything, but is a user of some group, who can be removed. */
const newUser = async (gid = 1): Promise<Caller> => {
  const user = await addUser(one.directory, name(), { gid, password_hash: '' });
  return { id: user._id, name: user.name, gid, groups: [gid, 0], rules: [] };
};
const newTemplate = async (by: Caller, { operations }: Process = one): Promise<number> =>
  (await operations.vmTemplates.create(by, { name: name(), template: { CPU: 1, MEMORY: 64, VCPU: undefined } })).id;
const serviceBody = (vm_template: number): ServiceTemplateBody =>
  ServiceTemplateBody.parse({ name: name(), roles: [{ name: 'only', cardinality: 1, vm_template }] });

type Race = {
  /** Writes the name of something, in one process. */
  refer: () => Promise<unknown>;
  /** Removes that, in the other. */
  remove: () => Promise<unknown>;
  /** How whoever comes second is refused. */
  refusals: readonly string[];
  /** Whether anything that is there names what is not. */
  dangles: () => Promise<boolean>;
};

const users = (id: number) => one.directory.users.find(id);
const groups = (id: number) => one.directory.groups.find(id);
const removeUser = (id: number) => other.operations.users.remove(oneadmin, id, unconditional);
const removeGroup = (id: number) => other.operations.groups.remove(oneadmin, id, unconditional);
const refusedOwner = ['not_authenticated', 'wrong_state', 'invalid_request', 'in_use'];

/** A new object of a user and his group, while the one or the other is removed. */
const ownersOf = (prepare: () => Promise<(by: Caller) => Promise<unknown>>) => ({
  'its user': async (): Promise<Race> => {
    const [create, by] = [await prepare(), await newUser()];
    return {
      refer: () => create(by),
      remove: () => removeUser(by.id),
      refusals: refusedOwner,
      dangles: async () => (await one.store.owned.by({ uid: by.id })) !== null && (await users(by.id)) === null,
    };
  },
  'its group': async (): Promise<Race> => {
    // Who is moved out of a group is, for a request that is under way, still in it.
    const [create, gid] = [await prepare(), await newGroup()];
    const by = { ...(await newUser()), gid, groups: [gid, 0] };
    return {
      refer: () => create(by),
      remove: () => removeGroup(gid),
      refusals: refusedOwner,
      dangles: async () => (await one.store.owned.by({ gid })) !== null && (await groups(gid)) === null,
    };
  },
});

/** An object that is given away, while who would get it is removed. */
const givenTo = (prepare: () => Promise<(to: { uid?: number; gid?: number }) => Promise<unknown>>) => ({
  'its new user': async (): Promise<Race> => {
    const [give, { id: uid }] = [await prepare(), await newUser()];
    return {
      refer: () => give({ uid }),
      remove: () => removeUser(uid),
      refusals: refusedOwner,
      dangles: async () => (await one.store.owned.by({ uid })) !== null && (await users(uid)) === null,
    };
  },
  'its new group': async (): Promise<Race> => {
    const [give, gid] = [await prepare(), await newGroup()];
    return {
      refer: () => give({ gid }),
      remove: () => removeGroup(gid),
      refusals: refusedOwner,
      dangles: async () => (await one.store.owned.by({ gid })) !== null && (await groups(gid)) === null,
    };
  },
});

const cluster = (by: Caller) => one.operations.clusters.create(by, { name: name() });
const host = (by: Caller, cluster_id?: number) =>
  one.operations.hosts.create(by, { name: name(), vm_mad: 'simulated', cpu: 1, memory: 64, cluster_id });

/** Every reference that a document keeps, and what removes what it names. */
const references: Record<string, Record<string, () => Promise<Race>>> = {
  'a new VM': ownersOf(async () => {
    const template_id = await newTemplate(oneadmin);
    return (by) => one.operations.vms.create(by, { template_id }, admission);
  }),
  'a new service': ownersOf(async () => {
    const { id } = await one.operations.serviceTemplates.create(oneadmin, serviceBody(await newTemplate(oneadmin)));
    return (by) => one.operations.serviceTemplates.instantiate(by, id, {}, admission);
  }),
  'a new VM template': ownersOf(async () => (by) => newTemplate(by)),
  'a new service template': ownersOf(async () => {
    const body = serviceBody(await newTemplate(oneadmin));
    return (by) => one.operations.serviceTemplates.create(by, body);
  }),
  'a new cluster': ownersOf(async () => cluster),
  'a new host': ownersOf(async () => (by) => host(by)),
  'a VM that is given away': givenTo(async () => {
    const { resource } = await one.operations.vms.create(
      oneadmin,
      { template_id: await newTemplate(oneadmin) },
      admission,
    );
    return (to) => one.operations.ownership.vm.chown(oneadmin, resource.id, to);
  }),
  'a service that is given away': givenTo(async () => {
    const id = 1_000_000 + made++;
    await makeOwnedService(one.store, id, { owner: { uid: 0, gid: 0, permissions: permissionsOf('600') }, vms: 2 });
    return (to) => one.operations.ownership.service.chown(oneadmin, id, to);
  }),
  'a VM template that is given away': givenTo(async () => {
    const id = await newTemplate(oneadmin);
    return (to) => one.operations.vmTemplates.chown(oneadmin, id, to);
  }),
  'a service template that is given away': givenTo(async () => {
    const { id } = await one.operations.serviceTemplates.create(oneadmin, serviceBody(await newTemplate(oneadmin)));
    return (to) => one.operations.serviceTemplates.chown(oneadmin, id, to);
  }),
  'a host that is given away': givenTo(async () => {
    const { id } = await host(oneadmin);
    return (to) => one.operations.hosts.chown(oneadmin, id, to);
  }),
  'a cluster that is given away': givenTo(async () => {
    const { id } = await cluster(oneadmin);
    return (to) => one.operations.clusters.chown(oneadmin, id, to);
  }),
  'a service template': {
    'the VM template of a role': async () => {
      const id = await newTemplate(oneadmin);
      const body = serviceBody(id);
      return {
        refer: () => one.operations.serviceTemplates.create(oneadmin, body),
        remove: () => other.operations.vmTemplates.remove(oneadmin, id, unconditional),
        refusals: ['invalid_request', 'in_use'],
        dangles: async () =>
          (await one.store.vmTemplates.find(id)) === null &&
          (await one.store.serviceTemplates.model.exists({ 'body.roles.vm_template': id })) !== null,
      };
    },
    'the VM template of a role that is changed': async () => {
      const [before, id] = [await newTemplate(oneadmin), await newTemplate(oneadmin)];
      const body = serviceBody(before);
      const template = await one.operations.serviceTemplates.create(oneadmin, body);
      return {
        refer: () =>
          one.operations.serviceTemplates.update(oneadmin, template.id, {
            revise: () => ({ wish: { ...serviceBody(id), name: body.name }, named: new Set(['roles']) }),
            precondition: unconditional,
          }),
        remove: () => other.operations.vmTemplates.remove(oneadmin, id, unconditional),
        refusals: ['invalid_request', 'in_use'],
        dangles: async () =>
          (await one.store.vmTemplates.find(id)) === null &&
          (await one.store.serviceTemplates.model.exists({ 'body.roles.vm_template': id })) !== null,
      };
    },
  },
  'a service': {
    'the VM template of a role': async () => {
      const id = await newTemplate(oneadmin);
      const template = await one.operations.serviceTemplates.create(oneadmin, serviceBody(await newTemplate(oneadmin)));
      const merge_template = { roles: [{ name: 'only', vm_template: id }] };
      return {
        refer: () => one.operations.serviceTemplates.instantiate(oneadmin, template.id, { merge_template }, admission),
        remove: () => other.operations.vmTemplates.remove(oneadmin, id, unconditional),
        refusals: ['invalid_request', 'in_use'],
        dangles: async () =>
          (await one.store.vmTemplates.find(id)) === null &&
          (await one.store.services.model.exists({ 'roles.vm_template': id })) !== null,
      };
    },
  },
  'a host': {
    'its cluster': async () => {
      const { id } = await cluster(oneadmin);
      return {
        refer: () => host(oneadmin, id),
        remove: () => other.operations.clusters.remove(oneadmin, id, unconditional),
        refusals: ['invalid_request', 'in_use'],
        dangles: async () =>
          (await one.store.clusters.find(id)) === null &&
          (await one.store.hosts.model.exists({ cluster_id: id })) !== null,
      };
    },
  },
  'a user': {
    'a group that he comes into': async () => {
      const [{ id }, gid] = [await newUser(), await newGroup()];
      return {
        refer: () => one.operations.users.join(oneadmin, id, gid, unconditional),
        remove: () => removeGroup(gid),
        refusals: ['not_found', 'in_use'],
        dangles: async () => ((await users(id))?.groups.includes(gid) ?? false) && (await groups(gid)) === null,
      };
    },
  },
  'a group': {
    'its admin': async () => {
      const gid = await newGroup();
      const { id } = await newUser(gid);
      return {
        refer: () => one.operations.groups.addAdmin(oneadmin, gid, id, unconditional),
        remove: () => removeUser(id),
        refusals: ['not_found'],
        dangles: async () => ((await groups(gid))?.admins.includes(id) ?? false) && (await users(id)) === null,
      };
    },
  },
  'a rule': {
    'its user': async () => {
      const { id } = await newUser();
      return {
        refer: () => one.operations.acls.create(oneadmin, { rule: `#${id} VM/* USE *` }),
        remove: () => removeUser(id),
        refusals: ['invalid_request'],
        dangles: async () => (await one.directory.acls.about({ id, groups: [] })).some(isFor(id)) && !(await users(id)),
      };
    },
  },
  'a quota': {
    'its user': async () => {
      const { id } = await newUser();
      return {
        refer: () => one.operations.quotas.updateUser(oneadmin, id, limitedUser),
        remove: () => removeUser(id),
        refusals: ['not_found'],
        dangles: async () => (await one.store.quotas.find({ type: 'user', id })) !== null && (await users(id)) === null,
      };
    },
    'its group': async () => {
      const id = await newGroup();
      return {
        refer: () => one.operations.quotas.update(oneadmin, id, limited),
        remove: () => removeGroup(id),
        refusals: ['not_found'],
        dangles: async () =>
          (await one.store.quotas.find({ type: 'group', id })) !== null && (await groups(id)) === null,
      };
    },
  },
};
const limited = {
  revise: (before: QuotaEdit) => ({ wish: { ...before, vms: 5 }, named: new Set<keyof QuotaEdit>(['vms']) }),
  precondition: unconditional,
};
const limitedUser = {
  revise: (before: UserQuotaEdit) => ({ wish: { ...before, vms: 5 }, named: new Set<keyof UserQuotaEdit>(['vms']) }),
  precondition: unconditional,
};
const isFor =
  (id: number) =>
  ({ rule: { user } }: StoredAcl) =>
    user.kind === 'user' && user.id === id;

/** What is written by the same lines as another that is tried. */
const alike =
  /^a new (VM template|service template|cluster|host)'s group$|^a (VM template|service template|cluster|host) that is given away's new user$/;
const cases = Object.entries(references)
  .flatMap(([what, its]) => Object.entries(its).map(([named, prepare]) => ({ what, named, prepare })))
  .filter(({ what, named }) => !alike.test(`${what}'s ${named.replace('its ', '')}`));

describe('what a document names is there', () => {
  it.each(cases)('$what: $named, which another process removes at the same moment', async ({ prepare }) => {
    let succeeded = 0;
    await inLanes(rounds, rounds, async (round) => {
      const { refer, remove, refusals, dangles } = await prepare();
      // Now the one is first, now the other.
      const late = sleep((round % 4) * 4);
      const [referred, removed] = await Promise.allSettled([refer(), late.then(remove)]);
      for (const result of [referred, removed])
        if (result.status === 'rejected') expect(refusals).toContain(problemOf(result.reason)?.code ?? result.reason);
        else succeeded += 1;
      expect(await dangles(), `round ${round}: both have succeeded`).toBe(false);
    });
    // One of the two always does.
    expect(succeeded).toBeGreaterThanOrEqual(rounds);
  });
});
