import { isDeepStrictEqual } from 'node:util';
import { eachInSlices, inSlices } from '../../adapters/process/in-slices.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { added, chargeOfService } from '../../domain/identity/quotas.js';
import { Problem } from '../../domain/problems.js';
import { askedText } from '../../domain/services/asked-text.js';
import { chargeOfReservations, comingOf } from '../../domain/services/made-networks.js';
import { networkWishes, type WishedNetwork, withNetworks } from '../../domain/services/network-wishes.js';
import { tooSmall } from '../../domain/services/reservation-needs.js';
import { entriesOf, scheduleOf } from '../../domain/services/schedule.js';
import { fillingRoles, withInputs } from '../../domain/services/service-template.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { InstantiateService, Role, Service } from '../../schemas/services/service.js';
import type { ServiceNetwork } from '../../schemas/services/service-network.js';
import {
  firstRevision,
  type ServiceTemplate,
  ServiceTemplateBody,
  type ServiceTemplateResource,
} from '../../schemas/services/service-template.js';
import type { VmTemplate } from '../../schemas/vms/vm-template.js';
import { hadByTemplates } from '../../store/vms/template-had.js';
import { mayCreate } from '../authorise.js';
import type { Admission, OperationsContext, RequestsContext } from '../context.js';
import { type Kept, managed, objectsOf } from '../managed.js';
import { admit, repeatedRequest } from '../operations/admit.js';
import { namesFor, serviceTemplateResource } from '../resources.js';
import { chosenNetworks } from './service-networks.js';
import { checkServiceTemplate, demandVmTemplates, refuse, sizesOf, vmTemplatesOf } from './template-checks.js';

/** Where service templates are kept, and how they are shown. */
export const kept = ({ store, directory }: OperationsContext): Kept<'service_template', ServiceTemplateResource> => ({
  find: store.serviceTemplates.find,
  async shown(caller, templates) {
    const names = await namesFor(directory, caller, templates);
    return templates.map((template) => serviceTemplateResource(template, names));
  },
});

/** `coming`: VM templates that are written before one that is made, in its transaction. */
export const serviceTemplates = (context: OperationsContext, coming: readonly VmTemplate[] = []) => {
  const { store } = context;
  return managed(context, 'service_template', {
    ...kept(context),
    list: store.serviceTemplates.list,
    make: async (caller, body: ServiceTemplateBody) => {
      await checkServiceTemplate(context, caller, body, { coming });
      return (base): ServiceTemplate => ({ ...base, body });
    },
    insert: async (template, transaction) => {
      await demandVmTemplates(context, template.body, transaction);
      await store.serviceTemplates.insert(template, transaction);
    },
    editable: ({ body }) => body,
    async change(caller, body, present, transaction) {
      await checkServiceTemplate(context, caller, body, { before: present.body });
      await demandVmTemplates(context, body, transaction, { before: present.body });
      return isDeepStrictEqual(body, present.body)
        ? present
        : store.serviceTemplates.revise(present, body, transaction);
    },
    remove: (_caller, { _id }, transaction) => store.serviceTemplates.remove(_id, transaction),
  });
};

/** A service of the template, PENDING, and the operation that deploys it. */
export async function instantiateService(
  context: RequestsContext,
  caller: Caller,
  id: number,
  request: InstantiateService,
  admission: Admission,
): Promise<OperationResource> {
  const { store, settings, directory, takeTurns } = context;
  const { find } = objectsOf(context, 'service_template', kept(context));
  const template = await find(caller, id, 'use');
  const asked = { deed: 'instantiate', id, ...request };
  const repeated = await repeatedRequest(context, caller, admission, asked);
  if (repeated) return repeated;
  mayCreate(caller, 'service');
  mayCreate(caller, 'vm');
  // What a large template costs, one user's many requests cost one after the other, and others come in between.
  const { merge_template, merge, inputs, networks } = request;
  const { body, sizes, chosen } = await takeTurns([String(caller.id)], async () => {
    const given = withInputs(template.body, merge_template, merge, inputs);
    const { wishes, findings } = networkWishes(given, networks);
    if (findings.length > 0)
      throw new Problem('invalid_request', 'The networks of the service are not all given.', { findings });
    await refuseSmall(given, wishes);
    const chosen = await chosenNetworks(context, caller, wishes);
    const merged = parse(await inSlices(fillingRoles(withNetworks(given, chosen))));
    const body = { ...merged, name: objectName(merged.name, template.body.name, '/merge_template/name') };
    const templates = await checkServiceTemplate(context, caller, body, { under: '/merge_template', filled: true });
    const where = { ...store, users: directory.users };
    const hadBy = hadByTemplates(where, caller.id, comingOf(chosen));
    const sizes = [];
    for (const { name, cardinality, capacity, devices } of await sizesOf(body, templates, '/merge_template'))
      sizes.push({ name, cardinality, capacity: { ...capacity, ...(await hadBy(devices)) } });
    return { body, sizes, chosen };
  });
  const charge = added(chargeOfService(sizes), chargeOfReservations(chosen));
  const capacities = Object.fromEntries(sizes.map(({ name, capacity }) => [name, capacity]));
  const made = newService(caller, template, await store.counters.one('document'), body);
  const clock = { zone: settings.timeZone ?? 'UTC', now: made.created_at };
  const entries = await eachInSlices(made.roles, (role) => entriesOf(role, null, clock));
  const schedule = scheduleOf(entries.flat(), null, clock);
  const service: Service = {
    ...{ ...made, charge, capacities },
    ...(chosen.length > 0 && { networks: chosen }),
    ...(schedule && { schedule }),
  };
  return admit(context, caller, admission, {
    kind: 'deployService',
    resource: { type: 'service', id: service._id },
    name: service.name,
    owner: service,
    template: service.template_id,
    input: {},
    request: asked,
    charge,
    vmTemplates: vmTemplatesOf(body),
    claim: async (op, transaction) => {
      await store.references.makeFor(service, transaction);
      await demandVmTemplates(context, body, transaction, { under: '/merge_template' });
      await store.services.insert({ ...service, operation: op }, transaction);
      return service;
    },
    refusal: async () => new Problem('operation_in_progress', `Service ${service._id} could not be made.`),
  });
}

/** The merged template, or every finding about its shape. */
function parse(merged: Record<string, unknown>): ServiceTemplateBody {
  const parsed = ServiceTemplateBody.safeParse(merged);
  if (parsed.success) return parsed.data;
  refuse(
    parsed.error.issues.map(({ path, message }) => ({
      pointer: `/merge_template/${path.map(String).join('/')}`,
      detail: message,
    })),
  );
  throw parsed.error;
}

function newService(
  caller: Caller,
  { _id: template_id, revision = firstRevision }: ServiceTemplate,
  id: number,
  { roles, ...body }: ServiceTemplateBody,
): Service {
  return {
    _id: id,
    name: body.name,
    uid: caller.id,
    gid: caller.gid,
    permissions: permissionsOfNew(caller),
    template_id,
    template_revision: revision,
    state: 'PENDING',
    roles: roles.map(
      (role): Role => ({
        ...role,
        state: body.on_hold || role.on_hold ? 'HOLD' : 'PENDING',
        ...{ reason: null, last_vmname: 0, mark: null },
      }),
    ),
    body,
    log: [{ timestamp: new Date(), severity: 'I', message: askedText('deployment', caller.name) }],
    operation: null,
    wanted: null,
    holds: {},
    epoch: 0,
    created_at: new Date(),
    ended_at: null,
  };
}

/** Refuses reservations that are too small for the VMs that roles begin with; nothing is drawn for that. */
async function refuseSmall(given: Parameters<typeof withNetworks>[0], wishes: readonly WishedNetwork[]): Promise<void> {
  if (!wishes.some(({ wish }) => 'size' in wish)) return;
  // By ids that none has: those that there will be are not known yet.
  const planned = wishes.map(
    ({ name, wish }, at): ServiceNetwork =>
      'id' in wish
        ? { name, id: wish.id }
        : { name, id: -1 - at, ...('from' in wish && { reserved: { ...wish, made: false } }) },
  );
  const { roles } = parse(await inSlices(fillingRoles(withNetworks(given, planned))));
  const findings = tooSmall(planned, roles, new Map(wishes.map(({ name, pointer }) => [name, pointer])));
  if (findings.length > 0)
    throw new Problem('invalid_request', 'The service cannot have these networks.', { findings });
}
