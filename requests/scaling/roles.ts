import type { Caller } from '../../domain/identity/caller.js';
import { chargeOfVm, timesOver } from '../../domain/identity/quotas.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem, problemOf } from '../../domain/problems.js';
import { tiesToOthers, whyNotAdded } from '../../domain/scaling/role-change.js';
import { comingOf } from '../../domain/services/made-networks.js';
import { mergeServiceTemplate } from '../../domain/services/service-template.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Role, Service } from '../../schemas/services/service.js';
import { RoleTemplate } from '../../schemas/services/service-template.js';
import { hadByTemplates } from '../../store/vms/template-had.js';
import { authorised, mayCreate } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { admit, repeatedRequest } from '../operations/admit.js';
import { checkServiceTemplate, demandVmTemplates, sizesOf } from '../services/template-checks.js';
import { whyBusy } from './scaling.js';

/**
 * Adds a role to a service that was deployed: it is checked together with those that there are, is filled with the values that
 * the service was given, and its VMs are made by an operation that has this role alone. One with `on_hold` has none at first.
 */
export async function addRole(
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: RoleTemplate,
  admission: Admission,
): Promise<OperationResource> {
  const { store, settings } = context;
  const service = await find(context, caller, id);
  const request = { deed: 'addRole', id, role: wish };
  const repeated = await repeatedRequest(context, caller, admission, request);
  if (repeated) return repeated;
  mayCreate(caller, 'vm');
  const { template, capacity } = await ofItself(service.roles.length, () => checked(context, caller, service, wish));
  const busy = await whyBusy(store, service);
  if (busy) throw busy;
  const state = template.on_hold ? 'HOLD' : 'SCALING';
  const role: Role = { ...template, state, reason: null, last_vmname: 0, mark: null };
  const refusal = whyNotAdded(service, role);
  if (refusal) throw refusal;
  const charge = timesOver(chargeOfVm(capacity), role.cardinality);
  const zone = settings.timeZone ?? 'UTC';
  return admit(context, caller, admission, {
    kind: 'scaleRole',
    resource: { type: 'service', id },
    role: role.name,
    name: service.name,
    owner: service,
    template: service.template_id,
    input: { from: 0, cardinality: role.cardinality, force: true, added: true, rest: 0 },
    request,
    ...(service.charge && { charge }),
    vmTemplates: [role.vm_template],
    claim: async (op, transaction) => {
      await ofItself(0, () => demandVmTemplates(context, { ...service.body, roles: [template] }, transaction));
      return store.scalings.add(
        id,
        { ...role, operation: op },
        { capacity, charge, zone, by: caller.name },
        transaction,
      );
    },
    refusal: async () => {
      const now = await store.services.find(id);
      if (!now) return new Problem('not_found', `There is no ${nameOf({ type: 'service', id })}.`);
      return (
        (await whyBusy(store, now)) ??
        whyNotAdded(now, role) ??
        new Problem('operation_in_progress', `Somebody else has changed service ${id} just now; try again.`)
      );
    },
  });
}

async function find({ store }: OperationsContext, caller: Caller, id: number): Promise<Service> {
  return authorised(caller, 'service', await store.services.find(id), 'manage', id);
}

/** The role as it will be, and what each VM of it reserves; or everything that is wrong with it. */
async function checked(
  context: OperationsContext,
  caller: Caller,
  { body, roles, uid, networks = [] }: Service,
  wish: RoleTemplate,
) {
  const alone = mergeServiceTemplate({ ...body, roles: [wish] });
  const filled: readonly unknown[] = Array.isArray(alone.roles) ? alone.roles : [];
  const template = RoleTemplate.parse(filled[0]);
  const findings = tiesToOthers(template);
  if (findings.length > 0) throw new Problem('invalid_request', 'The role cannot be added.', { findings });
  const before = { ...body, roles };
  const templates = await checkServiceTemplate(
    context,
    caller,
    { ...body, roles: [...roles, template] },
    { before, filled: true },
  );
  const [size] = await sizesOf({ ...body, roles: [template] }, templates, '');
  if (!size) throw new Problem('not_found', `There is no VM template ${template.vm_template}.`);
  const { store, directory } = context;
  const had = await hadByTemplates({ ...store, users: directory.users }, uid, comingOf(networks))(size.devices);
  return { template, capacity: { ...size.capacity, ...had } };
}

/** What is wrong with a role among others is wrong with what was sent: with the role alone. `at`: where it stands among them. */
async function ofItself<T>(at: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const problem = problemOf(error);
    if (!problem || problem.findings.length === 0) throw error;
    const findings = problem.findings.map(({ pointer, detail }) => ({
      pointer: [`/merge_template/roles/0`, `/roles/${at}`, `/roles/0`].reduce(
        (found, prefix) => (found.startsWith(`${prefix}/`) ? found.slice(prefix.length) : found),
        pointer,
      ),
      detail,
    }));
    throw new Problem(problem.code, problem.message.replace('the service template', 'the role'), { findings });
  }
}
