import type { Router } from 'express';
import { z } from 'zod';
import { Problem, problemOf } from '../../../domain/problems.js';
import type { Operations } from '../../../requests/operations.js';
import { unconditional } from '../../../requests/precondition.js';
import { ObjectName } from '../../../schemas/common/common.js';
import { limits } from '../../../schemas/common/limits.js';
import { type ActionArgs, DiskSnapshotAction, VmAction } from '../../../schemas/operations/vm-action.js';
import { ServiceEdit, type ServiceResource } from '../../../schemas/services/service.js';
import { actionOf, ownershipActions, type Perform, performOf } from '../action.js';
import type { Ways } from '../client-version.js';
import { serviceDocument } from '../documents.js';
import { type Answer, type Asked, addRoutes, type Counting, checked, done, pagesOf, refused } from '../route.js';
import { serviceEdit } from './service-edit.js';

/** What OneFlow's clients ask of the VMs of a role. */
const performable = VmAction.exclude(['recreate']);

/** Numbers come as such or as digits. */
const Count = z.preprocess(
  (value) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : (value ?? undefined)),
  z.int().min(0).max(31_536_000).optional(),
);
const Slices = z.object({ number: Count, period: Count });

/** What VMs use is told to clients that show it. */
const told = ({ nodes }: Ways) => ({ monitoring: nodes === 'whole' });

/** What somebody else may remove, or removes already, is left to him. */
function unlessOthers(error: unknown): void {
  const code = problemOf(error)?.code;
  if (code !== 'not_authorized' && code !== 'operation_in_progress' && code !== 'not_found') throw error;
}

/** What `args` say of a snapshot: the name of a new one, the number of one that there is; of a disk, after its number and a comma. */
function argsOf(action: VmAction, params: object): ActionArgs {
  if (!action.includes('snapshot-')) return {};
  const sent = checked(z.object({ args: z.union([z.string(), z.number()]).nullish() }), params).args;
  const args = String(sent ?? '').trim();
  const creates = action.endsWith('-create');
  const ofDisk = DiskSnapshotAction.safeParse(action).success;
  const [disk = '', ...rest] = args.split(',');
  const ofIt = /^\d{1,9}$/.test(disk.trim()) ? rest.join(',').trim() : '';
  const which = ofDisk ? ofIt : args;
  if (which === '' && action === 'snapshot-create') return {};
  if (which === '')
    throw refused(
      `Action ${action}: You have to specify ${ofDisk ? 'a disk and ' : ''}the ${creates ? 'name' : 'ID'} of a snapshot in args${ofDisk ? `, as 0,${creates ? 'before' : '1'}` : ''}`,
    );
  return {
    ...(ofDisk && { disk: Number(disk) }),
    ...(creates ? { name: checked(ObjectName, which) } : { snapshot: checked(z.coerce.number().int().min(0), which) }),
  };
}

/** `/service`: services, and what is done to them as a whole. */
export function serviceRoutes(
  router: Router,
  { services, scaling, ownership, operations }: Operations,
  metrics: Counting,
): void {
  const { put, update } = serviceEdit({ services, scaling });

  /** A service that this client knows of: for releases that remove what is DONE, it is gone then. */
  async function shown({ caller, id, ways }: Asked): Promise<ServiceResource> {
    const service = await services.show(caller, id, told(ways));
    if (service.state === 'DONE' && ways.done === 'gone')
      throw new Problem('not_found', `Service ${id} is DONE: it has been undeployed.`);
    return service;
  }

  /** What each does to a service is an operation, which is counted. */
  const started = {
    remove: async ({ caller, id, admission, accepted }: Asked) => {
      await services.remove(caller, id, admission);
      accepted('deleteService');
    },
    undeploy: async ({ caller, id, admission, accepted }: Asked) => {
      await services.undeploy(caller, id, {}, admission);
      accepted('undeployService');
    },
    release: async ({ caller, id, admission, accepted }: Asked) => {
      await services.release(caller, id, {}, admission);
      accepted('releaseService');
    },
    recover: async ({ caller, id, admission, accepted }: Asked) => {
      await services.recover(caller, id, {}, admission);
      accepted('recoverService');
    },
  };

  const recover: Perform = async (asked, { delete: removes }) => {
    await shown(asked);
    await (removes === true ? started.remove : started.recover)(asked);
  };

  /** On the VMs of a role, or of all of them. Until 5.12 it is told which VMs those are. */
  async function perform(asked: Asked, role: string | null, action: string, params: object): Promise<Answer> {
    const { caller, id, ways, admission, accepted } = asked;
    const known = performable.safeParse(action);
    if (!known.success) throw refused(`Action ${action} not supported`);
    const { number, period } = checked(Slices, params);
    const wish = {
      action: known.data,
      ...argsOf(known.data, params),
      // OneFlow takes 0 for all at once, whatever the period.
      ...(number !== 0 && { ...(number !== undefined && { number }), ...(period !== undefined && { period }) }),
    };
    const found = (await shown(asked)).roles.some(({ name }) => name === role);
    if (role !== null && !found) throw refused(`Role '${role}' not found`);
    const { vms } = await scaling.perform(caller, id, role, wish, admission);
    accepted(role === null ? 'performOnService' : 'performOnRole');
    if (ways.roleAction === 'silent') return done;
    return { status: 201, value: [true, `Action:${action} scheduled on Role:${role ?? ''} VMs:${vms.join(',')}`] };
  }
  const onAll =
    (action: string): Perform =>
    async (asked, params) => {
      await perform(asked, null, action, params);
    };

  const actions: Record<string, Perform> = {
    ...Object.fromEntries(performable.options.map((action) => [action, onAll(action)])),
    ...ownershipActions(ownership.service),
    shutdown: async (asked) => {
      await started.undeploy(asked);
    },
    recover,
    deploy: recover,
    rename: async ({ caller, id }, { name }) => {
      const wish = checked(ServiceEdit, { name });
      await services.update(caller, id, {
        revise: () => ({ wish, named: new Set(['name']) }),
        precondition: unconditional,
      });
    },
    update,
    release: async (asked) => {
      await started.release(asked);
    },
  };

  const remove = async (asked: Asked): Promise<Answer> => {
    const { state } = await shown(asked);
    await (asked.ways.deletes === 'removes' || state === 'DONE' ? started.remove : started.undeploy)(asked);
    return done;
  };

  /** What is DONE and may be removed. Each is an operation, so that nothing of one is left. */
  const purge = async (asked: Asked): Promise<Answer> => {
    const { caller } = asked;
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const page = await services.list(caller, { limit: 100, state: 'DONE', ...(cursor !== undefined && { cursor }) });
      for (const { id } of page.items) await started.remove({ ...asked, id }).catch(unlessOthers);
      cursor = page.next_cursor;
    }
    return done;
  };

  /**
   * What is left of an action on the VMs of a role, or of all: those that it has not come to are spared. There it is many
   * actions that wait at the VMs under one number; here it is the one that goes on, numbered from the oldest on that does.
   */
  const dropAction = async (asked: Asked): Promise<Answer> => {
    const { caller, id, role, n } = asked;
    const { roles } = await shown(asked);
    if (role !== '' && !roles.some(({ name }) => name === role)) throw refused(`Role '${role}' not found`);
    if (!/^\d{1,9}$/.test(n)) throw new Problem('invalid_request', 'Sched action ID must be an integer number');
    const open: string[] = [];
    for (const state of ['accepted', 'running'] as const) {
      const query = { limit: limits.pageItems.most, resource_type: 'service', resource_id: id, state } as const;
      const { items } = await operations.list(caller, query);
      open.push(
        ...items.filter((one) => one.type === 'performOnRole' && (one.role ?? '') === role).map((one) => one.id),
      );
    }
    const op = open.toSorted()[Number(n)];
    if (op === undefined) throw new Problem('not_found', `No action ${n} goes on there.`);
    await operations.cancel(caller, op);
    return done;
  };

  addRoutes(router, metrics, [
    {
      method: 'get',
      path: '/service',
      answer: async ({ caller, ways }) => ({
        status: 200,
        pool: pagesOf(
          (query) => services.listWhole(caller, query, told(ways)),
          (service) => (service.state === 'DONE' && ways.done === 'gone' ? null : serviceDocument(service, ways)),
        ),
      }),
    },
    {
      method: 'get',
      path: '/service/{id}',
      answer: async (asked) => ({ status: 200, document: serviceDocument(await shown(asked), asked.ways) }),
    },
    { method: 'delete', path: '/service/{id}', answer: remove },
    { method: 'put', path: '/service/{id}', answer: put },
    { method: 'post', path: '/service/{id}/action', answer: actionOf(actions) },
    {
      method: 'post',
      path: '/service/{id}/role/{role}/action',
      answer: (asked) => {
        const { perform: action, params } = performOf(asked.body);
        return perform(asked, asked.role, action, params);
      },
    },
    { method: 'delete', path: '/service/{id}/sched_action/{n}', answer: dropAction },
    { method: 'delete', path: '/service/{id}/role/{role}/sched_action/{n}', answer: dropAction },
    { method: 'post', path: '/service_pool/purge_done', answer: purge },
  ]);
}
