import type { Router } from 'express';
import { z } from 'zod';
import { Problem } from '../../../domain/problems.js';
import { firstNames } from '../../../domain/services/later-names.js';
import { parseTemplateText } from '../../../domain/template-text.js';
import type { Operations } from '../../../requests/operations.js';
import { unconditional } from '../../../requests/precondition.js';
import { CloneServiceTemplate, ServiceTemplateBody } from '../../../schemas/services/service-template.js';
import { actionOf, ownershipActions, type Perform } from '../action.js';
import { rawIn, serviceDocument, templateDocument } from '../documents.js';
import { type Asked, addRoutes, type Counting, checked, done, notYet, objectOf, pagesOf, refused } from '../route.js';

const bodyOf = (sent: unknown): ServiceTemplateBody => checked(ServiceTemplateBody, firstNames(objectOf(sent)));

/** Another body: what stands beside it in the document stays. */
const replaced = ({ template_raw }: ServiceTemplateBody, sent: unknown): ServiceTemplateBody => ({
  ...bodyOf(sent),
  ...(template_raw !== undefined && { template_raw }),
});

/** `KEY = "value"` in lines, as OpenNebula writes templates. */
function rawOf(text: unknown): Record<string, unknown> {
  const read = parseTemplateText(checked(z.object({ template_raw: z.string() }), { template_raw: text }).template_raw);
  const [fault] = read.ok ? [] : read.errors;
  if (fault)
    throw new Problem('invalid_request', `template_raw: line ${fault.line}, column ${fault.column}: ${fault.detail}`);
  const raw = read.ok ? read.value : {};
  if ('BODY' in raw) throw refused('Action update: BODY is changed by template_json');
  return raw;
}

/** `/service_template`: the templates of services. */
export function serviceTemplateRoutes(router: Router, operations: Operations, metrics: Counting): void {
  const { serviceTemplates, services, vmTemplates } = operations;

  const instantiate: Perform = async ({ caller, id, ways, admission, accepted }, { merge_template }) => {
    const merge = merge_template === undefined || merge_template === null ? {} : objectOf(merge_template);
    const wish = firstNames(merge);
    const request = Object.keys(merge).length > 0 ? { merge_template: objectOf(wish), merge: ways.merges } : {};
    const { resource } = await serviceTemplates.instantiate(caller, id, request, admission);
    accepted('instantiateServiceTemplate');
    return { status: 201, document: serviceDocument(await services.show(caller, resource.id), ways) };
  };

  const actions: Record<string, Perform> = {
    ...ownershipActions(serviceTemplates),
    instantiate,
    rename: async ({ caller, id }, { name }) => {
      if (name === undefined) throw refused('Action rename: You have to specify a name');
      const named = checked(z.object({ name: z.string() }), { name });
      await edit({ caller, id }, (present) => ({ ...present, ...named }));
    },
    update: async ({ caller, id }, { template_json, template_raw, append }) => {
      if (template_raw !== undefined) {
        const raw = rawOf(template_raw);
        await edit({ caller, id }, ({ template_raw: before, ...present }) => ({
          ...present,
          template_raw: append === true ? { ...rawIn(before), ...raw } : raw,
        }));
        return;
      }
      const sent = typeof template_json === 'string' ? jsonOf(template_json) : template_json;
      if (sent === undefined) throw refused('Action update: You have to specify a template');
      await edit({ caller, id }, (present) =>
        append === true ? { ...present, ...objectOf(firstNames(objectOf(sent))) } : replaced(present, sent),
      );
    },
    clone: async ({ caller, id, ways }, { name, recursive = 'none' }) => {
      const vm_templates = await clonesToo({ caller, id }, recursive);
      const template = await serviceTemplates.clone(caller, id, checked(CloneServiceTemplate, { name, vm_templates }));
      return { status: 201, document: templateDocument(template, ways) };
    },
  };

  /** Whether VM templates are cloned along. Images are not Arcus's yet: with those of a DISK nothing is done by half. */
  async function clonesToo({ caller, id }: Pick<Asked, 'caller' | 'id'>, recursive: unknown): Promise<boolean> {
    if (recursive === 'none' || recursive === false) return false;
    if (recursive === 'templates') return true;
    const { body } = await serviceTemplates.show(caller, id);
    for (const vm of new Set(body.roles.map(({ vm_template }) => vm_template)))
      if ('DISK' in (await vmTemplates.show(caller, vm)).template)
        throw notYet(`clone the images of VM template ${vm} (clone with "templates")`);
    return true;
  }

  /** Puts something else in the place of a template; the whole of it is checked. */
  const edit = (
    { caller, id }: Pick<Asked, 'caller' | 'id'>,
    revise: (present: ServiceTemplateBody) => Record<string, unknown>,
  ) =>
    serviceTemplates.update(caller, id, {
      revise: (present) => {
        const wish = checked(ServiceTemplateBody, revise(present));
        return { wish, named: new Set(Object.keys(wish)) };
      },
      precondition: unconditional,
    });

  addRoutes(router, metrics, [
    {
      method: 'get',
      path: '/service_template',
      answer: async ({ caller, ways }) => ({
        status: 200,
        pool: pagesOf(
          (query) => serviceTemplates.list(caller, query),
          (template) => templateDocument(template, ways),
        ),
      }),
    },
    {
      method: 'get',
      path: '/service_template/{id}',
      answer: async ({ caller, id, ways }) => ({
        status: 200,
        document: templateDocument(await serviceTemplates.show(caller, id), ways),
      }),
    },
    {
      method: 'post',
      path: '/service_template',
      answer: async ({ caller, ways, body }) => ({
        status: 201,
        document: templateDocument(await serviceTemplates.create(caller, bodyOf(body)), ways),
      }),
    },
    {
      method: 'put',
      path: '/service_template/{id}',
      answer: async ({ caller, id, ways, body }) => ({
        status: 200,
        document: templateDocument(await edit({ caller, id }, (present) => replaced(present, body)), ways),
      }),
    },
    {
      method: 'delete',
      path: '/service_template/{id}',
      answer: async ({ caller, id, body }) => {
        const { delete_type = 'none' } = objectOf(body);
        if (delete_type !== 'none' && delete_type !== null)
          throw notYet('remove VM templates and images along with a service template');
        await serviceTemplates.remove(caller, id, unconditional);
        return done;
      },
    },
    { method: 'post', path: '/service_template/{id}/action', answer: actionOf(actions) },
  ]);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused('Action update: template_json is not valid JSON');
  }
}
