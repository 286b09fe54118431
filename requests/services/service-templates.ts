import { isDeepStrictEqual } from 'node:util';
import { eachInSlices, inSlices } from '../../adapters/process/in-slices.js';
import { beyond, measureServiceTemplate } from '../../domain/bounds.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { chargeOfService } from '../../domain/identity/quotas.js';
import { type Finding, Problem, type ProblemCode } from '../../domain/problems.js';
import { entriesOf, scheduleOf } from '../../domain/services/schedule.js';
import {
  checkRole,
  checkRoles,
  customAttributes,
  mergingServiceTemplate,
} from '../../domain/services/service-template.js';
import { capacityWith } from '../../domain/vms/vm-contents.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { InstantiateService, Role, Service } from '../../schemas/services/service.js';
import {
  type CloneServiceTemplate,
  firstRevision,
  type ServiceTemplate,
  ServiceTemplateBody,
  type ServiceTemplateResource,
} from '../../schemas/services/service-template.js';
import type { VmTemplate, VmTemplateResource } from '../../schemas/vms/vm-template.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { authorised, mayCreate } from '../authorise.js';
import type { Admission, OperationsContext, RequestsContext } from '../context.js';
import { type Kept, managed, objectsOf } from '../managed.js';
import { admit, repeatedRequest } from '../operations/admit.js';
import type { Precondition } from '../precondition.js';
import { namesFor, serviceTemplateResource } from '../resources.js';
import { vmTemplates } from '../vms/vm-templates.js';

/** Where service templates are kept, and how they are shown. */
const kept = ({ store, directory }: OperationsContext): Kept<'service_template', ServiceTemplateResource> => ({
  find: store.serviceTemplates.find,
  async shown(caller, templates) {
    const names = await namesFor(directory, caller, templates);
    return templates.map((template) => serviceTemplateResource(template, names));
  },
});

export const serviceTemplates = (context: OperationsContext) => {
  const { store } = context;
  return managed(context, 'service_template', {
    ...kept(context),
    list: store.serviceTemplates.list,
    make: async (caller, body: ServiceTemplateBody) => {
      await checkServiceTemplate(context, caller, body);
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

/**
 * A template of the caller's own that is as another, but for its name. It takes what making one does, and USE on the other.
 * With `vm_templates` those of its roles are cloned along: all is there, or nothing is.
 */
export async function cloneServiceTemplate(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { name, vm_templates = false }: CloneServiceTemplate,
): Promise<ServiceTemplateResource> {
  const { store } = context;
  const { find, shownOne } = objectsOf(context, 'service_template', kept(context));
  const { body } = await find(caller, id, 'use');
  const { create, prepare, writeIn } = serviceTemplates(context);
  if (!vm_templates) return create(caller, { ...body, name });
  const templates = vmTemplates(context);
  // All are read before anything is prepared: one that he may not use is said first.
  const used: VmTemplateResource[] = [];
  for (const of of new Set(vmTemplatesOf(body))) used.push(await templates.show(caller, of));
  // As it is checked, it names those that there are.
  const prepared = await prepare(caller, { ...body, name });
  const clones = new Map<number, VmTemplate>();
  for (const { id: of, name: called, template } of used)
    clones.set(of, await templates.prepare(caller, { name: `${name}-${called}`, template }));
  const roles = body.roles.map((role) => ({
    ...role,
    vm_template: clones.get(role.vm_template)?._id ?? role.vm_template,
  }));
  const made = { ...prepared, body: { ...prepared.body, roles } };
  const owner = { uid: caller.id, uname: caller.name };
  await store.quotas.makeCounted(owner, 'service_templates', async (transaction) => {
    for (const clone of clones.values()) {
      await templates.writeIn(clone, transaction);
      await store.quotas.demandRoom(owner, 'vm_templates', transaction);
    }
    await writeIn(made, transaction);
  });
  return shownOne(caller, made);
}

/** Removes a template together with the VM templates of its roles: all of them, or, where one may not go, nothing. */
export async function removeServiceTemplateWhole(
  context: OperationsContext,
  caller: Caller,
  id: number,
  precondition: Precondition,
): Promise<void> {
  const { store } = context;
  const { edit } = objectsOf(context, 'service_template', kept(context));
  const { removeIn } = vmTemplates(context);
  await edit(caller, id, precondition, async ({ body }, transaction) => {
    await store.serviceTemplates.remove(id, transaction);
    for (const one of new Set(vmTemplatesOf(body))) await removeIn(caller, one, transaction);
    return true;
  });
}

/** A service of the template, PENDING, and the operation that deploys it. */
export async function instantiateService(
  context: RequestsContext,
  caller: Caller,
  id: number,
  request: InstantiateService,
  admission: Admission,
): Promise<OperationResource> {
  const { store, settings, takeTurns } = context;
  const { find } = objectsOf(context, 'service_template', kept(context));
  const template = await find(caller, id, 'use');
  const asked = { deed: 'instantiate', id, ...request };
  const repeated = await repeatedRequest(context, caller, admission, asked);
  if (repeated) return repeated;
  mayCreate(caller, 'service');
  mayCreate(caller, 'vm');
  // What a large template costs, one user's many requests cost one after the other, and others come in between.
  const { body, sizes } = await takeTurns([String(caller.id)], async () => {
    const merged = parse(await inSlices(mergingServiceTemplate(template.body, request.merge_template, request.merge)));
    const body = { ...merged, name: objectName(merged.name, template.body.name, '/merge_template/name') };
    const templates = await checkServiceTemplate(context, caller, body, { under: '/merge_template', filled: true });
    return { body, sizes: await sizesOf(body, templates, '/merge_template') };
  });
  const charge = chargeOfService(sizes);
  const capacities = Object.fromEntries(sizes.map(({ name, capacity }) => [name, capacity]));
  const made = newService(caller, template, await store.counters.one('document'), body);
  const clock = { zone: settings.timeZone ?? 'UTC', now: made.created_at };
  const entries = await eachInSlices(made.roles, (role) => entriesOf(role, null, clock));
  const schedule = scheduleOf(entries.flat(), null, clock);
  const service: Service = { ...made, charge, capacities, ...(schedule && { schedule }) };
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

/** The VM templates that roles name are there, and stay until this is written. `before`: what was missing there already is let be. */
export async function demandVmTemplates(
  context: OperationsContext,
  body: ServiceTemplateBody,
  transaction: Transaction,
  { under = '', before }: { under?: string; before?: ServiceTemplateBody } = {},
): Promise<void> {
  const { store } = context;
  const missing = new Set(await store.references.touch('vm_template', vmTemplatesOf(body), transaction));
  for (const { vm_template } of before?.roles ?? []) missing.delete(vm_template);
  refuse(
    body.roles.flatMap(({ vm_template }, at): Finding[] =>
      missing.has(vm_template)
        ? [{ pointer: `${under}/roles/${at}/vm_template`, detail: `There is no VM template ${vm_template}.` }]
        : [],
    ),
  );
}

/**
 * Everything wrong at once: names, parents, circles, sizes, and VM templates that do not exist or are not the caller's
 * to use. `before`: what was wrong with that already is let be, so that it does not stand in the way of other changes.
 * What is too large is not looked at more closely. `filled`: no custom attribute is left to be filled in. Returns the VM templates of the roles.
 */
export async function checkServiceTemplate(
  context: OperationsContext,
  caller: Caller,
  body: ServiceTemplateBody,
  { under = '', before, filled = false }: { under?: string; before?: ServiceTemplateBody; filled?: boolean } = {},
): Promise<VmTemplate[]> {
  const { store } = context;
  const below = (findings: readonly Finding[], code?: ProblemCode) =>
    refuse(
      findings.map(({ pointer, detail }) => ({ pointer: under + pointer, detail })),
      code,
    );
  below(beyond(measureServiceTemplate(body), before && measureServiceTemplate(before)));
  const ids = [body, before].flatMap((one) => one?.roles.map((role) => role.vm_template) ?? []);
  const known = await store.vmTemplates.byIds(ids);
  const byId = new Map(known.map((template) => [template._id, template]));
  const wrongWith = async (one: ServiceTemplateBody): Promise<Finding[]> => {
    const pending = filled ? new Set<string>() : customAttributes(one);
    return [
      ...checkRoles(one),
      ...(await eachInSlices(one.roles, (role, at) => checkRole(role, `/roles/${at}`, pending))).flat(),
      ...unusable(caller, one, byId),
    ];
  };
  const findings = await wrongWith(body);
  const had = new Set(
    before && findings.length > 0 ? (await wrongWith(before)).map((finding) => said(before, finding)) : [],
  );
  // To put ten thousand of them into other words takes longer than to find them.
  const left = had.size === 0 ? findings : findings.filter((finding) => !had.has(said(body, finding)));
  // Where rights are all that is missing it is refused as everything is for which they are.
  const foreign = new Set(unusable(caller, body, byId, 'not_authorized').map(({ pointer }) => pointer));
  const isForeign = ({ pointer }: Finding): boolean => foreign.has(pointer);
  below(left, left.every(isForeign) ? 'not_authorized' : 'invalid_request');
  return known;
}

const vmTemplatesOf = ({ roles }: ServiceTemplateBody): number[] => roles.map(({ vm_template }) => vm_template);

/** A finding in words that stay the same when its role has another place. */
const said = ({ roles }: ServiceTemplateBody, { pointer, detail }: Finding): string =>
  `${pointer.replace(/^\/roles\/(\d+)/, (_, at) => `role ${roles[Number(at)]?.name}`)} ${detail}`;

/** Roles whose VM template does not exist or is not the caller's to use; `code`: those alone that are refused so. */
const unusable = (
  caller: Caller,
  { roles }: ServiceTemplateBody,
  known: ReadonlyMap<number, VmTemplate>,
  code?: ProblemCode,
): Finding[] =>
  roles.flatMap(({ vm_template }, at): Finding[] => {
    const found = known.get(vm_template) ?? null;
    try {
      authorised(caller, 'vm_template', found, 'use', vm_template);
      return [];
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return code === undefined || error.code === code
        ? [{ pointer: `/roles/${at}/vm_template`, detail: error.message }]
        : [];
    }
  });

/** What each VM of a role will reserve; refuses contents that do not make a VM of the template. */
export async function sizesOf(
  { roles }: ServiceTemplateBody,
  templates: readonly VmTemplate[],
  under: string,
): Promise<{ name: string; cardinality: number; capacity: Capacity }[]> {
  const findings: Finding[] = [];
  const byId = new Map(templates.map(({ _id, template }) => [_id, template]));
  const sizes = await eachInSlices(roles, ({ name, cardinality, vm_template, vm_template_contents: contents }, at) => {
    const template = byId.get(vm_template);
    if (!template) return [];
    try {
      return [{ name, cardinality, capacity: capacityWith(template, contents) }];
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const pointer = `${under}/roles/${at}/vm_template_contents`;
      findings.push(...error.findings.map(({ detail }) => ({ pointer, detail })));
      return [];
    }
  });
  refuse(findings);
  return sizes.flat();
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

function refuse(findings: readonly Finding[], code: ProblemCode = 'invalid_request'): void {
  if (findings.length === 0) return;
  const [first] = findings;
  if (code === 'not_authorized' && first && findings.length === 1) throw new Problem(code, first.detail, { findings });
  const things = findings.length === 1 ? 'One thing is' : `${findings.length} things are`;
  throw new Problem(code, `${things} wrong with the service template.`, { findings });
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
    log: [],
    operation: null,
    wanted: null,
    holds: {},
    epoch: 0,
    created_at: new Date(),
    ended_at: null,
  };
}
