import type { Role, Service } from '../../schemas/services/service.js';
import type { RoleEdit, ServiceAddition } from '../../schemas/services/service-edit.js';
import { type Finding, Problem } from '../problems.js';
import { isSameValue } from '../same-value.js';
import { replacedPolicies, replacedSchedules } from './change-policies.js';

// What is edited of a service that is there, as a document in the place of its own. What cannot be edited may be in it as it is.

const ofRole = [
  ...(['shutdown_action', 'scale_in', 'cooldown', 'cooldown_up', 'cooldown_down'] as const),
  ...(['min_vms', 'max_vms', 'elasticity_policies', 'scheduled_policies'] as const),
];
const ofService = ['description', 'shutdown_action', 'automatic_deletion'] as const;

/** By name what each is from then on; undefined: it has none any more. */
export type RoleChange = Partial<Pick<RoleEdit, (typeof ofRole)[number]>>;
export type BodyChange = Partial<Pick<ServiceAddition, (typeof ofService)[number]>>;
export type ServiceChange = { body: BodyChange; roles: { name: string; change: RoleChange }[] };

type Edited = Pick<Service, 'name' | 'body' | 'roles'>;

/** What is to be otherwise of a service; `append`: what the document does not name stays. */
export function editedService(service: Edited, wish: ServiceAddition, append: boolean): ServiceChange | Problem {
  const fixed = fixedOf({ ...service.body, name: service.name }, wish, ofService, 'service');
  if (fixed) return fixed === 'service/name' ? byRename : immutable(fixed);
  const pairs = paired(service, wish.roles);
  if (pairs instanceof Problem) return pairs;
  const body: BodyChange = {};
  for (const name of ofService) if (!append || wish[name] !== undefined) put(body, service.body, wish, name);
  const findings: Finding[] = [];
  const roles = pairs.flatMap(([role, edit], at) => {
    const { change, wrong } = changedRole(service, role, edit);
    findings.push(...wrong.map(({ pointer, detail }) => ({ pointer: `/roles/${at}${pointer}`, detail })));
    return Object.keys(change).length > 0 ? [{ name: role.name, change }] : [];
  });
  if (findings.length === 0) return { body, roles };
  return new Problem('invalid_request', 'The service cannot be edited so.', { findings });
}

/** Each role with what it is to be. They are as many as before, of the same names. */
function paired({ roles }: Edited, wishes: readonly RoleEdit[] | undefined): [Role, RoleEdit][] | Problem {
  if (!wishes) return [];
  if (wishes.length !== roles.length) return immutable('service/roles size');
  const left = new Map(roles.map((role) => [role.name, role]));
  const pairs: [Role, RoleEdit][] = [];
  for (const wish of wishes) {
    const role = left.get(wish.name);
    if (!role) return immutable('role/name');
    left.delete(wish.name);
    const fixed = fixedOf(role, wish, ofRole, 'role');
    if (fixed) return immutable(fixed);
    pairs.push([role, wish]);
  }
  return pairs;
}

function changedRole(service: Edited, role: Role, edit: RoleEdit): { change: RoleChange; wrong: readonly Finding[] } {
  const wish: RoleChange = {
    ...edit,
    // Without what they are shown with, and have not been given.
    elasticity_policies: edit.elasticity_policies?.map(
      ({ true_evals: _evals, last_eval: _eval, expression_evaluated: _found, last: _last, ...given }) => given,
    ),
    scheduled_policies: edit.scheduled_policies?.map(({ next_at: _next, last: _last, ...given }) => given),
  };
  const change: RoleChange = {};
  for (const name of ofRole) put(change, role, wish, name);
  const { min_vms: _min, max_vms: _max, ...bare } = role;
  const { min_vms, max_vms, elasticity_policies = [], scheduled_policies = [] } = wish;
  const bounds = { min_vms, max_vms };
  const elastic = replacedPolicies(service, bare, { ...bounds, elasticity_policies });
  const scheduled = replacedSchedules(service, bare, { ...bounds, scheduled_policies });
  const wrong = [elastic, scheduled].flatMap((one) => (one instanceof Problem ? one.findings : []));
  // Of the range of the role both say the same.
  if (elastic instanceof Problem || scheduled instanceof Problem)
    return { change, wrong: [...new Map(wrong.map((one) => [one.pointer + one.detail, one])).values()] };
  return {
    change: {
      ...change,
      // Those that say nothing of their pause keep it.
      ...(change.elasticity_policies && { elasticity_policies: elastic.elasticity_policies }),
      ...(change.scheduled_policies && { scheduled_policies: scheduled.scheduled_policies }),
    },
    wrong,
  };
}

function put<T, N extends keyof T>(change: T, before: T, wish: T, name: N): void {
  if (!isSameValue(before[name], wish[name])) change[name] = wish[name];
}

type Members = Readonly<Record<string, unknown>>;

/** The first member of a document that is otherwise than it is, and is none of those that may be. */
function fixedOf(present: Members, wish: Members, editable: readonly string[], of: string): string | null {
  const fixed = Object.keys(wish).find(
    (name) => name !== 'roles' && !editable.includes(name) && !same(present[name], wish[name]),
  );
  return fixed === undefined ? null : `${of}/${fixed}`;
}

/** What is not named stays as it is; false is as good as nothing. */
const same = (present: unknown, wish: unknown): boolean =>
  wish === undefined || wish === null || isSameValue(present ?? false, wish);

/** In the words of OneFlow. */
const immutable = (what: string): Problem =>
  new Problem('wrong_state', `Immutable value: \`${what}\` can not be changed`);

const byRename = new Problem('wrong_state', 'To change `service/name` use rename operation');
