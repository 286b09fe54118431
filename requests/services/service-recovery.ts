import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { askedText } from '../../domain/services/asked-text.js';
import { recoverable, repairable, rolesToRecover, rolesToRepair } from '../../domain/services/roles-to-repair.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import { demandOn, whyLost } from '../acts/acts.js';
import type { Admission, OperationsContext } from '../context.js';
import { type Asked, admit } from '../operations/admit.js';
import { manageable, once, undeployment, wishOn } from './services.js';
import { whyNotWhole } from './template-use.js';

/** Makes a service whole that was deployed: looks for lost VMs, replaces failed ones, makes missing ones. */
export async function repairService(
  context: OperationsContext,
  caller: Caller,
  id: number,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const asked = { request: { deed: 'repair', id }, admission };
  return once(context, caller, id, asked, async () => {
    // What is amiss may have come about a moment ago.
    await store.health.refresh([id]);
    return repairServiceAgain(context, caller, id, asked);
  });
}

/** Takes the roles that are amiss, all or none, or the one that is named; others may be scaled meanwhile, or are. */
export async function repairServiceAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  asked: Asked,
  only?: string,
): Promise<OperationResource> {
  const { store } = context;
  const act: Act = { do: 'repair', ...(only !== undefined && { role: only }) };
  const service = await manageable(context, caller, id);
  await demandOn(store, act, { type: 'service', service });
  const names = rolesToRepair(service.roles, only);
  const roles = service.roles.filter(({ name }) => names.includes(name));
  const refusal = await whyNotWhole(store, caller, { ...service, roles });
  if (refusal) throw refusal;
  return admit(context, caller, asked.admission, {
    kind: 'repairService',
    ...wishOn(service, asked),
    input: { roles: names },
    claim: (op, transaction) =>
      store.services.admitRoles(
        id,
        op,
        { names, states: repairable, message: askedText('repair', caller.name, names) },
        transaction,
      ),
    refusal: () => whyLost(store, { do: 'repair' }, { type: 'service', id }),
  });
}

/**
 * Goes on with what failed: a new run of the same kind, which plans from what is and replaces failed VMs. Of a deployment it takes
 * the roles that are not as they should be, all or none, or the one that is named; others may be scaled meanwhile, or are.
 */
export async function recoverServiceAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  asked: Asked,
  only?: string,
): Promise<OperationResource> {
  const { store } = context;
  const service = await manageable(context, caller, id);
  const names = rolesToRecover(service, only);
  const act: Act = { do: 'recover', ...(only !== undefined && { roles: names }) };
  await demandOn(store, act, { type: 'service', service });
  const last = await store.operations.lastOf({ type: 'service', id });
  const isSame = last?.kind === 'deployService' || last?.kind === 'undeployService';
  const retried = isSame && (last.state === 'failed' || last.state === 'cancelled') ? { retryOf: last._id } : {};
  if (service.state === 'FAILED_UNDEPLOYING') {
    // A recovery goes on with what was asked for.
    const input = (await store.operations.lastUndeployment(id)) ?? { hard: null, remove: false };
    return undeployment(context, caller, service, { input, act, over: [], deed: 'recovery' }, { ...retried, ...asked });
  }
  const roles = service.roles.filter(({ name }) => names.includes(name));
  const refusal = await whyNotWhole(store, caller, { ...service, roles });
  if (refusal) throw refusal;
  return admit(context, caller, asked.admission, {
    kind: 'deployService',
    ...wishOn(service, { ...retried, ...asked }),
    input: { roles: names },
    claim: (op, transaction) =>
      store.services.admitDeployment(
        id,
        op,
        {
          takes: names,
          of: (now) => rolesToRecover(now, only),
          states: recoverable,
          message: askedText('recovery', caller.name, names),
        },
        transaction,
      ),
    refusal: () => whyLost(store, act, { type: 'service', id }),
  });
}
