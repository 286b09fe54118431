import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import type { Credentials } from '../../requests/identity/identity.js';
import type { Operations } from '../../requests/operations.js';
import { recordOf } from '../../schemas/common/record-of.js';
import { ownedKinds } from '../../schemas/kinds.js';

const untouched = (): never => {
  throw new Error('a request that is not valid reached the operations');
};

/** Operations that must not be reached: the HTTP shell alone has to refuse. Those that a test needs are given. */
export function unreachableOperations(
  given: { [Room in keyof Operations]?: Partial<Operations[Room]> } = {},
): Operations {
  const crud = { list: untouched, show: untouched, create: untouched, update: untouched, remove: untouched };
  const managed = { ...crud, chmod: untouched, chown: untouched };
  return {
    hosts: { ...managed, ...given.hosts },
    vmPlacement: { show: untouched, ...given.vmPlacement },
    clusters: { ...managed, ...given.clusters },
    vmTemplates: { ...managed, ...given.vmTemplates },
    vms: {
      ...crud,
      ...{ terminate: untouched, recover: untouched, resume: untouched },
      ...given.vms,
    },
    serviceTemplates: { ...managed, instantiate: untouched, ...given.serviceTemplates },
    services: {
      ...crud,
      undeploy: untouched,
      recover: untouched,
      repair: untouched,
      ...given.services,
    },
    consistency: { start: untouched, list: untouched, show: untouched, ...given.consistency },
    quotas: {
      ...crud,
      ...{ own: untouched, updateUser: untouched, showDefaults: untouched, updateDefaults: untouched },
      ...given.quotas,
    },
    users: {
      ...crud,
      ...{ self: untouched, setPassword: untouched, join: untouched, leave: untouched },
      ...given.users,
    },
    groups: { ...crud, addAdmin: untouched, removeAdmin: untouched, ...given.groups },
    acls: { ...crud, ...given.acls },
    tokens: { ...crud, revoke: untouched, ...given.tokens },
    ownership: { ...recordOf(ownedKinds, () => managed), ...given.ownership },
    why: { operation: untouched, service: untouched, vm: untouched, host: untouched, ...given.why },
    operations: {
      ...crud,
      listOn: untouched,
      isRepeated: untouched,
      cancel: untouched,
      answer: untouched,
      retry: untouched,
      ...given.operations,
    },
  };
}

export const onlyOneadmin = {
  authenticate: async ({ name, secret }: Credentials): Promise<Caller> => {
    if (name === 'oneadmin' && secret === 'secret:with:colons') return { id: 0, name, gid: 0, groups: [0], rules: [] };
    throw new Problem('not_authenticated', 'The name or the password is wrong.');
  },
};
