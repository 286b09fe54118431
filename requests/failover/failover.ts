import type { Act } from '../../domain/acts/acts.js';
import { policyOwner } from '../../domain/hosts/policy-owner.js';
import type { Caller } from '../../domain/identity/caller.js';
import { defaultCluster } from '../../schemas/hosts/cluster.js';
import type { HaPolicy } from '../../schemas/hosts/ha.js';
import type { Host, HostResource } from '../../schemas/hosts/host.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { showHost } from '../hosts/hosts.js';
import { wishOnHost } from '../hosts/wish-on-host.js';
import { asUser } from '../identity/as-user.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';
import type { Precondition } from '../precondition.js';
import { recoverRoleOrService } from '../scaling/scaling.js';
import { recoverVm } from '../vms/vm-recovery.js';

const act: Act = { do: 'failOver' };

/** What is done with VMs of a host that has no policy. */
type Wish = Pick<HaPolicy, 'action' | 'stopped'>;

/** Has the VMs of a host that does not answer recovered elsewhere, once it is known to be off. */
export async function failOverHost(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { action, stopped }: Partial<Wish>,
  admission: Admission,
): Promise<OperationResource> {
  const host = authorised(caller, 'host', await context.store.hosts.find(id), 'admin', id);
  const request = { deed: 'failover', id, action, stopped };
  const repeated = await repeatedRequest(context, caller, admission, request);
  const wish = { action: action ?? host.ha?.action ?? 'recreate', stopped: stopped ?? host.ha?.stopped ?? false };
  return repeated ?? failOverHostAgain(context, caller, id, wish, { request, admission });
}

export const failOverHostAgain = async (
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: Wish,
  asked: Asked,
): Promise<OperationResource> => {
  const host = authorised(caller, 'host', await context.store.hosts.find(id), 'admin', id);
  await demandOn(context.store, act, { type: 'host', host });
  return admitted(context, caller, host, { ...wish, because: 'asked for' }, { asked, silence: null });
};

/** A host that has missed as many polls as its policy says; `silence`: since when it has not answered. */
export type DueFailover = { host: number; silence: Date };

/** Asks for it as whoever has given the host its policy would, with the rights that he has now: once for a silence. Returns the operation. */
export async function failOverByPolicy(
  context: OperationsContext,
  { host: id, silence }: DueFailover,
): Promise<string | null> {
  const host = await context.store.hosts.find(id);
  if (!host?.ha) return null;
  const caller = await asUser(context, host.ha.by, 'who gave the host its policy');
  await mayStill(context, caller, host);
  const { action, stopped, polls } = host.ha;
  const key = `failover ${id} ${silence.getTime()}`;
  const because = `${host.missed ?? polls} polls in a row were missed`;
  const asked = {
    request: { deed: 'failover', id, silence: silence.getTime() },
    admission: { idempotencyKey: key, requestId: key },
  };
  return (await admitted(context, caller, host, { action, stopped, because }, { asked, silence })).id;
}

/** Whoever has given a policy administers still what he gave it to: who puts a host into a cluster wants done what that says. */
async function mayStill({ store }: OperationsContext, caller: Caller, host: Host): Promise<void> {
  const { _id: id, cluster_id = defaultCluster } = host;
  if (policyOwner(host) === 'host') authorised(caller, 'host', host, 'admin', id);
  else authorised(caller, 'cluster', await store.clusters.find(cluster_id), 'admin', cluster_id);
}

const admitted = (
  context: OperationsContext,
  caller: Caller,
  host: Host,
  input: Wish & { because: string },
  { asked, silence }: { asked: Asked; silence: Date | null },
): Promise<OperationResource> =>
  admit(context, caller, asked.admission, {
    kind: 'failoverHost',
    ...wishOnHost(context.store, host, act, asked),
    input,
    claim: (op, transaction) => context.store.failovers.admit(host._id, op, silence, transaction),
  });

/** A VM of a failed host that fits nowhere. */
export type LeftToWait = { op: string; vm: number };

/** Asks for its deployment as its owner would, once for a failover: it waits for room. Returns the operation. */
export async function deployForFailover(context: OperationsContext, { op, vm: id }: LeftToWait): Promise<string> {
  const vm = await context.store.vms.find(id);
  const caller = await asUser(context, vm?.uid ?? -1, `the owner of VM ${id}`);
  const key = `failover ${op} ${id}`;
  return (await recoverVm(context, caller, id, { action: 'retry' }, { idempotencyKey: key, requestId: key })).id;
}

/** A service of which VMs were on a failed host. */
export type RecoveredService = { op: string; service: number; since: Date };

/** Has it go on as its owner would, once for a failover, where its deployment or a scaling has failed since then. Returns the operation. */
export async function recoverForFailover(
  context: OperationsContext,
  { op, service: id, since }: RecoveredService,
): Promise<string | null> {
  const { store } = context;
  const service = await store.services.find(id);
  if (service?.state !== 'FAILED_DEPLOYING' && service?.state !== 'FAILED_SCALING') return null;
  if (!(await store.failovers.failedSince(id, since))) return null;
  const caller = await asUser(context, service.uid, `the owner of service ${id}`);
  const key = `failover ${op} service ${id}`;
  return (await recoverRoleOrService(context, caller, id, {}, { idempotencyKey: key, requestId: key })).id;
}

/** A person says that a host is off: nothing that was there before runs any more. A failover that waits for it goes on. */
export async function callFenced(
  context: OperationsContext,
  caller: Caller,
  id: number,
  precondition: Precondition,
): Promise<HostResource> {
  const { store, engine, onDelayed } = context;
  const host = authorised(caller, 'host', await store.hosts.find(id), 'admin', id);
  const said: Act = { do: 'callFenced' };
  await precondition.demand(() => showHost(context, caller, id));
  await demandOn(store, said, { type: 'host', host });
  if (!(await store.failovers.fence(id, { at: new Date(), by: caller.name })))
    throw await whyLost(store, said, { type: 'host', id });
  const waiting = host.operation ? await store.operations.find(host.operation) : null;
  if (waiting?.kind === 'failoverHost' && waiting.state === 'waiting' && (await store.endings.reopen(waiting)))
    await engine
      .startNext(waiting)
      .catch((error: unknown) => onDelayed('the failover goes on at the next tick', error));
  return showHost(context, caller, id);
}
