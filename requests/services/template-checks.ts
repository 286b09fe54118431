import { eachInSlices } from '../../adapters/process/in-slices.js';
import { beyond, measureServiceTemplate } from '../../domain/bounds.js';
import type { Caller } from '../../domain/identity/caller.js';
import { type Finding, Problem, type ProblemCode } from '../../domain/problems.js';
import { settledContents } from '../../domain/services/role-contents.js';
import { checkRole, checkRoles, customAttributes } from '../../domain/services/service-template.js';
import { sizeWith } from '../../domain/vms/vm-contents.js';
import type { ServiceTemplateBody } from '../../schemas/services/service-template.js';
import type { VmTemplate, VmTemplateBody } from '../../schemas/vms/vm-template.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';

// What a service template has to be, and what is said of one that is not.

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
 * What is too large is not looked at more closely. `filled`: no custom attribute is left to be filled in. `coming`: VM templates that are written with it. Returns the VM templates of the roles.
 */
export async function checkServiceTemplate(
  context: OperationsContext,
  caller: Caller,
  body: ServiceTemplateBody,
  {
    under = '',
    before,
    filled = false,
    coming = [],
  }: { under?: string; before?: ServiceTemplateBody; filled?: boolean; coming?: readonly VmTemplate[] } = {},
): Promise<VmTemplate[]> {
  const { store } = context;
  const below = (findings: readonly Finding[], code?: ProblemCode) =>
    refuse(
      findings.map(({ pointer, detail }) => ({ pointer: under + pointer, detail })),
      code,
    );
  below(beyond(measureServiceTemplate(body), before && measureServiceTemplate(before)));
  const ids = [body, before].flatMap((one) => one?.roles.map((role) => role.vm_template) ?? []);
  const known = [...(await store.vmTemplates.byIds(ids)), ...coming];
  const byId = new Map(known.map((template) => [template._id, template]));
  const wrongWith = async (one: ServiceTemplateBody): Promise<Finding[]> => {
    const pending = filled ? new Set<string>() : customAttributes(one);
    return [
      ...checkRoles(one),
      ...(await eachInSlices(one.roles, (role, at) => checkRole(role, `/roles/${at}`, pending))).flat(),
      ...unusable(caller, one, byId),
      // What is filled is judged when it is measured.
      ...(filled ? [] : await unfit(caller, one, byId, pending)),
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

/** The VM templates of its roles, in their order. */
export const vmTemplatesOf = ({ roles }: ServiceTemplateBody): number[] => roles.map(({ vm_template }) => vm_template);

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

/** Contents of roles that make no VM of their templates, where that is known before custom attributes are filled in. */
async function unfit(
  caller: Caller,
  one: ServiceTemplateBody,
  known: ReadonlyMap<number, VmTemplate>,
  pending: ReadonlySet<string>,
): Promise<Finding[]> {
  const barred = new Set(unusable(caller, one, known).map(({ pointer }) => pointer));
  const found = await eachInSlices(one.roles, (role, at): Finding[] => {
    const contents = settledContents(role, pending);
    const template = known.get(role.vm_template)?.template;
    // Of a template that is not his to use nothing is told.
    if (!contents || !template || barred.has(`/roles/${at}/vm_template`)) return [];
    const size = sizeOrFindings(template, contents, `/roles/${at}`);
    return Array.isArray(size) ? size : [];
  });
  return found.flat();
}

/** What a VM of a template reserves with a role's contents over it, or why that is none. */
function sizeOrFindings(
  template: VmTemplateBody,
  contents: string | undefined,
  pointer: string,
): ReturnType<typeof sizeWith> | Finding[] {
  try {
    return sizeWith(template, contents);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.findings.map(({ detail }) => ({ pointer: `${pointer}/vm_template_contents`, detail }));
  }
}

/** What each VM of a role will reserve; refuses contents that do not make a VM of the template. */
export async function sizesOf(
  { roles }: ServiceTemplateBody,
  templates: readonly VmTemplate[],
  under: string,
): Promise<({ name: string; cardinality: number } & ReturnType<typeof sizeWith>)[]> {
  const findings: Finding[] = [];
  const byId = new Map(templates.map(({ _id, template }) => [_id, template]));
  const sizes = await eachInSlices(roles, ({ name, cardinality, vm_template, vm_template_contents: contents }, at) => {
    const template = byId.get(vm_template);
    if (!template) return [];
    const size = sizeOrFindings(template, contents, `${under}/roles/${at}`);
    if (!Array.isArray(size)) return [{ name, cardinality, ...size }];
    findings.push(...size);
    return [];
  });
  refuse(findings);
  return sizes.flat();
}

/** Throws what is wrong with a service template, if anything is. */
export function refuse(findings: readonly Finding[], code: ProblemCode = 'invalid_request'): void {
  if (findings.length === 0) return;
  const [first] = findings;
  if (code === 'not_authorized' && first && findings.length === 1) throw new Problem(code, first.detail, { findings });
  const things = findings.length === 1 ? 'One thing is' : `${findings.length} things are`;
  throw new Problem(code, `${things} wrong with the service template.`, { findings });
}
