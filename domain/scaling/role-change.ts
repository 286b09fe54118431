import type { Role, Service } from '../../schemas/services/service.js';
import { beyond, measureServiceTemplate } from '../bounds.js';
import { Problem } from '../problems.js';
import { recoverable } from '../services/roles-to-repair.js';
import { belongs, judgedStates } from '../services/service-health.js';
import { isUp } from '../services/service-states.js';
import { isProtected } from '../vms/ready.js';
import { few } from '../words.js';
import type { StaffedVm } from './staffing.js';

/** A service as it is asked whether it may have other roles. */
export type ChangedService = Pick<Service, '_id' | 'state' | 'roles' | 'body'>;

/** Why a service of a certain state has the roles that it has; null: it may have others. */
function wrongState({ _id: id, state }: ChangedService): Problem | null {
  if (judgedStates.includes(state) && !recoverable.includes(state)) return null;
  const hint =
    state === 'FAILED_DEPLOYING'
      ? ' Recover it first.'
      : state === 'PENDING' || state === 'DEPLOYING'
        ? ' Wait for its deployment.'
        : '';
  return new Problem(
    'wrong_state',
    `Service ${id} is ${state}: roles are added to one that was deployed, and removed from one.${hint}`,
  );
}

/** Why a role, which is right by itself, cannot be added to a service as it is now; null: it can. */
export function whyNotAdded(service: ChangedService, role: Role): Problem | null {
  const { _id: id, roles, body } = service;
  const wrong = wrongState(service);
  if (wrong) return wrong;
  if (roles.some(({ name }) => name === role.name))
    return new Problem('invalid_request', 'The role cannot be added.', {
      findings: [{ pointer: '/name', detail: `service ${id} has a role "${role.name}" already` }],
    });
  const grown = measureServiceTemplate({ ...body, roles: [...roles, role] });
  const findings = beyond(grown, measureServiceTemplate({ ...body, roles }));
  if (findings.length > 0)
    return new Problem('invalid_request', 'The service would be too large with that role.', { findings });
  const missing = role.parents.find((parent) => !roles.some(({ name, removing }) => name === parent && !removing));
  if (missing !== undefined)
    return new Problem(
      'wrong_state',
      `Role ${missing} of service ${id}, which ${role.name} waits for, is being removed.`,
    );
  return role.state === 'HOLD' ? null : whyItWaits(service, role);
}

/** In a straight service a role starts once its parents run: one that is added is not kept waiting for them. */
function whyItWaits({ roles, body }: ChangedService, { name, parents }: Role): Problem | null {
  if (body.deployment !== 'straight') return null;
  const parent = roles.find((one) => parents.includes(one.name) && !isUp(one.state));
  if (!parent) return null;
  const first =
    parent.state === 'WARNING'
      ? 'Repair the service first'
      : parent.state === 'HOLD' || parent.state === 'PENDING'
        ? `Release ${parent.name} first, or add ${name} with on_hold`
        : parent.state === 'FAILED_SCALING'
          ? `Recover ${parent.name} first`
          : 'Wait until it is';
  return new Problem(
    'wrong_state',
    `Role ${name} starts once ${parent.name} runs, and that is ${parent.state}. ${first}.`,
  );
}

/** What a new role may not ask of roles whose VMs stand where they stand: to share hosts with them, or not to. */
export const tiesToOthers = ({ name, placement }: Pick<Role, 'name' | 'placement'>) =>
  (['affinity', 'anti_affinity'] as const).flatMap((rule) =>
    (placement?.[rule] ?? []).flatMap((other, nth) =>
      other === name
        ? []
        : [
            {
              pointer: `/placement/${rule}/${nth}`,
              detail: `ties it to role ${other}, whose VMs have their hosts already: a role that is added is tied to its own VMs alone`,
            },
          ],
    ),
  );

/** The protected ones of a role's VMs that are not DONE. */
const protectedOf = (vms: readonly StaffedVm[]): number[] =>
  vms.filter((vm) => belongs(vm) && isProtected(vm.user_template)).map(({ _id }) => _id);

/**
 * Whether a role can be removed from a service as it is now: the protected VMs that go all the same, which takes force; or why
 * it cannot. `vms`: those of it that are not DONE.
 */
export function removalOf(
  service: ChangedService,
  { name }: Pick<Role, 'name'>,
  vms: readonly StaffedVm[],
  force: boolean,
): number[] | Problem {
  const wrong = wrongState(service);
  if (wrong) return wrong;
  const findings = service.roles.flatMap((other, at) =>
    other.name === name
      ? []
      : [
          ...placesOf(other.parents, name, `/roles/${at}/parents`, `role ${other.name} waits for it`),
          ...placesOf(
            other.placement?.affinity ?? [],
            name,
            `/roles/${at}/placement/affinity`,
            `role ${other.name} is on hosts with it`,
          ),
          ...placesOf(
            other.placement?.anti_affinity ?? [],
            name,
            `/roles/${at}/placement/anti_affinity`,
            `role ${other.name} keeps apart from it`,
          ),
        ],
  );
  if (findings.length > 0)
    return new Problem('wrong_state', `Other roles depend on role ${name}. Remove those first.`, { findings });
  const ids = protectedOf(vms);
  if (ids.length === 0 || force) return ids;
  const [one] = ids;
  return new Problem(
    'wrong_state',
    `${ids.length === 1 ? `VM ${one} of role ${name} is` : `VMs ${few(ids.map(String))} of role ${name} are`} protected: use force to have ${ids.length === 1 ? 'it' : 'them'} go all the same.`,
  );
}

const placesOf = (names: readonly string[], name: string, pointer: string, detail: string) =>
  names.flatMap((one, at) => (one === name ? [{ pointer: `${pointer}/${at}`, detail }] : []));
