import { ulid } from 'ulid';
import { parseAcl, printAcl } from '../../../domain/identity/acl.js';
import { recordOf } from '../../../schemas/common/record-of.js';
import type { Token } from '../../../schemas/identity/token.js';
import { kinds, managedKinds, type OwnedKind, operatedKinds, ownedKinds } from '../../../schemas/kinds.js';
import type { Operation } from '../../../schemas/operations/operation.js';
import { made } from '../../support/made-kinds.js';
import { type Written, watchesOf } from '../../support/oplog.js';
import { addGroup, addUser } from '../../support/people.js';
import { publishedApp } from '../../support/published-app.js';
import { createWorld, type Method } from '../world.js';

/** Five people: `owner` owns what is asked about, which is in the group of `owner`, `member` and `admin`, who manages it. */
export const people = ['owner', 'member', 'admin', 'other', 'oneadmin'] as const;
export type Who = (typeof people)[number];

export type RightsWorld = Awaited<ReturnType<typeof createRightsWorld>>;

/** The real app, with an object of each kind that belongs to `owner` and permits 640: the group may USE it. */
export async function createRightsWorld() {
  const world = await createWorld({ withTemporal: true });
  const { directory, store } = world;
  const { _id: team } = await addGroup(directory, 'team', {
    create: { users: ['VM', 'IMAGE', 'TEMPLATE', 'DOCUMENT'], admins: [] },
  });
  // In this one nothing may be created.
  const { _id: elsewhere } = await addGroup(directory, 'elsewhere');
  // Of this one the holder of single rights is the only member.
  const { _id: alone } = await addGroup(directory, 'alone');
  const ids = { owner: -1, member: -1, admin: -1, other: -1, oneadmin: 0, holder: -1 };
  const names = {
    owner: 'owner-one',
    member: 'member-one',
    admin: 'team-admin',
    other: 'other-one',
    oneadmin: 'oneadmin',
    holder: 'holder-one',
  };
  const groupOf = { owner: team, member: team, admin: team, other: elsewhere, holder: alone };
  for (const who of ['owner', 'member', 'admin', 'other', 'holder'] as const) {
    const user = await addUser(directory, names[who], { gid: groupOf[who], umask: '137' });
    ids[who] = user._id;
  }
  await directory.version.change((session) => directory.groups.update(team, { admins: [ids.admin] }, session));

  const ask = (who: Who | 'holder', method: Method, path: string, body?: object) =>
    world.ask(names[who], method, path, body);
  const make = async (who: Who | 'holder', path: string, body: object) => {
    const response = await ask(who, 'post', path, body);
    if (response.status >= 300) throw new Error(`${path}: ${JSON.stringify(response.body)}`);
    return response.body;
  };
  const open = (await make('oneadmin', '/vm-templates', { name: 'open', template: { CPU: 1, MEMORY: 64 } })).id;
  await make('oneadmin', `/vm-templates/${open}/chmod`, { octet: '644' });
  // Of these everybody may make more.
  const disk = (await make('oneadmin', '/images', { name: 'open', source: { empty: { size_mb: 1 } } })).resource.id;
  await store.images.model.updateOne({ _id: disk }, { $set: { state: 'READY', operation: null } });
  await make('oneadmin', `/images/${disk}/chmod`, { octet: '644' });
  const filled = { name: 'open with a disk', template: { CPU: 1, MEMORY: 64, DISK: { IMAGE_ID: disk } } };
  const withDisk = { image: disk, template: (await make('oneadmin', '/vm-templates', filled)).id };
  await make('oneadmin', `/vm-templates/${withDisk.template}/chmod`, { octet: '644' });
  const first = new Map<OwnedKind, number>();
  for (const kind of managedKinds) {
    const { path } = kinds[kind];
    const { id } = await make('oneadmin', path, made[kind].body('first', open));
    await make('oneadmin', `${path}/${id}/chown`, { uid: ids.owner, gid: team });
    await make('oneadmin', `${path}/${id}/chmod`, { octet: '640' });
    first.set(kind, id);
  }
  const vmOperation = await make('owner', '/vms', { template_id: first.get('vm_template') });
  first.set('vm', vmOperation.resource.id);
  await make('owner', `/vms/${vmOperation.resource.id}/schedules`, { action: 'resume', recurrence: '0 6 * * *' });
  first.set('service', (await make('owner', '/services', { template_id: first.get('service_template') })).resource.id);
  // That there is one to be paused.
  const due = { type: 'CHANGE', adjust: 1, recurrence: '0 9 * * *' };
  const policies = {
    ...{ 'roles.0.elasticity_policies': [{ target: 'CPU = 60' }], 'roles.0.scheduled_policies': [due] },
  };
  await store.services.model.updateOne({ _id: first.get('service') ?? -1 }, { $set: policies });
  const source = { empty: { size_mb: 1 } };
  const { resource: image } = await make('owner', '/images', { name: 'first', source });
  await store.images.model.updateOne({ _id: image.id }, { $set: { state: 'READY' } });
  first.set('image', image.id);
  const app = await publishedApp((path, body) => make('oneadmin', path, body), store, 'first');
  await make('oneadmin', `/marketplace-apps/${app}/chown`, { uid: ids.owner, gid: team });
  await make('oneadmin', `/marketplace-apps/${app}/chmod`, { octet: '640' });
  first.set('app', app);
  const check = (await make('oneadmin', '/consistency-checks', {})).id;

  let serial = 1_000_000;
  /** A copy of a stored object under an id and a name of its own, on which nothing is at work and which is charged to nobody. */
  async function copyOf(kind: OwnedKind): Promise<number> {
    const { collection } = kinds[kind];
    const id = first.get(kind) ?? -1;
    const documents = world.mongodb.collection<{ _id: number; name: string; charge?: object }>(collection);
    const found = await documents.findOne({ _id: id });
    if (!found) throw new Error(`${collection} has no ${id}`);
    const { charge: _, ...model } = found;
    serial += 1;
    const free = operatedKinds.some((operated) => operated === kind)
      ? { operation: null, wanted: null, hold: null }
      : {};
    await documents.insertOne({ ...model, _id: serial, name: `${collection}-${serial}`, ...free });
    return serial;
  }
  const fresh = {
    ...recordOf(ownedKinds, (kind) => () => copyOf(kind)),
    /** On a VM of its own. */
    operation: async (): Promise<string> => {
      const model = await store.operations.find(vmOperation.id);
      if (!model) throw new Error('the operation is gone');
      const _id = ulid();
      const copy: Operation = { ...model, _id, resource: { type: 'vm', id: await copyOf('vm') } };
      await store.operations.model.create([copy]);
      return _id;
    },
    /** In the group of all but `other`. */
    user: async () => {
      serial += 1;
      return (await addUser(directory, `user-${serial}`, { gid: team, password_hash: '' }))._id;
    },
    group: async () => {
      serial += 1;
      const { _id } = await addGroup(directory, `group-${serial}`);
      const user = await addUser(directory, `user-${serial}`, { gid: _id, password_hash: '' });
      await directory.version.change((session) => directory.groups.update(_id, { admins: [user._id] }, session));
      return { id: _id, user: user._id };
    },
    rule: async () => {
      serial += 1;
      return (await make('oneadmin', '/acls', { rule: `#${ids.owner} IMAGE/#${serial} USE` })).id;
    },
    token: async (who: Who | 'holder') => (await make(who, '/tokens', { name: 'test' })).id,
    /** Of a user who cannot sign in. */
    tokenOf: async (uid: number) => {
      serial += 1;
      const token: Token = {
        ...{ _id: serial, uid, name: `token-${serial}`, prefix: 'arcus_', hash: `hash-${serial}` },
        ...{ created_at: new Date(), expires_at: null, last_used_at: null },
      };
      await directory.version.change((session) => directory.tokens.insert(token, session));
      return serial;
    },
    name: () => {
      serial += 1;
      return `name-${serial}`;
    },
  };

  /** Gives the holder these rules, such as `VM/#3 USE`, and no others. */
  const grant = (rules: readonly string[]): Promise<void> =>
    directory.version.change(async (session) => {
      await directory.acls.removeOfUser(ids.holder, session);
      const texts = new Set<string>();
      for (const text of rules) {
        const parsed = parseAcl(`#${ids.holder} ${text}`);
        if (!parsed.ok) throw new Error(`${text}: ${parsed.faults.join()}`);
        const { rule } = parsed;
        const printed = printAcl(rule);
        if (texts.has(printed)) continue;
        texts.add(printed);
        const _id = await directory.version.take('acl', session);
        await directory.acls.insert({ _id, rule, text: printed, created_at: new Date() }, session);
      }
    });

  /** Of who signs in there are traces, and numbers that were drawn and not used leave gaps. */
  const traces = ['counters', 'known_logins', 'login_attempts'];
  const watches = watchesOf(world.mongodb.name);
  async function watchForWrites(): Promise<Written> {
    const written = await watches.watch();
    return async () => (await written()).filter((collection) => !traces.includes(collection));
  }

  const stop = async (): Promise<void> => {
    await watches.close();
    await world.stop();
  };
  return { stop, store, ids, names, team, elsewhere, open, withDisk, check, ask, grant, fresh, watchForWrites };
}
