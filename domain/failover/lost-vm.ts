import { FailoverWish } from '../../schemas/operations/ha-action.js';
import type { ServiceTemplateBody } from '../../schemas/services/service-template.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { operationAtWork } from '../operations/at-work.js';
import { type RoleNode, rolesBefore } from '../services/role-graph.js';
import { placeOf, placesOf } from '../vms/stays.js';
import { vmStateName } from '../vms/vm-states.js';
import type { LostVm } from './plan.js';

type Seen = Pick<
  Vm,
  '_id' | 'state' | 'lcm_state' | 'reason' | 'hold' | 'operation' | 'wanted' | 'moving' | 'service' | 'history'
> & { user_template: { FAILOVER?: unknown } };

/** FAILOVER of its user template, in whatever letters; null: nothing is said there that is understood. */
export const failoverWish = ({ FAILOVER: said }: { FAILOVER?: unknown }): LostVm['wish'] =>
  typeof said === 'string' ? (FailoverWish.safeParse(said.trim().toLowerCase()).data ?? null) : null;

/** A VM as the failover `op` of this host sees it; null: as one would that begins now. `after`: roles below which it stands. */
export function lostVm(vm: Seen, host: number, op: string | null, after: readonly string[]): LostVm {
  const { _id: id, reason, hold, operation, wanted, moving, service, state } = vm;
  const place = placeOf(vm)?.hid;
  const isOn = placesOf(vm).some(({ hid }) => hid === host);
  const ours = op !== null && hold?.op === op;
  const other = operationAtWork({ wanted, operation, hold: ours ? null : hold });
  return {
    ...{ id, state: vmStateName(vm), reason, ours, after },
    place: isOn
      ? 'here'
      : place !== undefined
        ? 'elsewhere'
        : state === 'PENDING' || state === 'DONE' || state === 'HOLD'
          ? 'nowhere'
          : 'elsewhere',
    busy: other === op ? null : other,
    between: (moving ?? null) !== null,
    role: service ? `${service.id}/${service.role}` : null,
    wish: failoverWish(vm.user_template),
  };
}

type OrderedService = { _id: number; body: Pick<ServiceTemplateBody, 'deployment'>; roles: readonly RoleNode[] };

/** Of a VM of one of these services, the roles (`service/role`) below which it stands. */
export function rolesBeforeOf(services: readonly OrderedService[]): (vm: Pick<Vm, 'service'>) => string[] {
  const before = new Map(services.map(({ _id, roles, body }) => [_id, rolesBefore(roles, body.deployment)]));
  return ({ service }) =>
    service ? [...(before.get(service.id)?.get(service.role) ?? [])].map((role) => `${service.id}/${role}`) : [];
}
