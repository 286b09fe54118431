import type { Router } from 'express';
import { z } from 'zod';
import { firstNames, templateIn } from '../../../domain/services/later-names.js';
import type { Operations } from '../../../requests/operations.js';
import { unconditional } from '../../../requests/precondition.js';
import { CloneServiceTemplate, ServiceTemplateBody } from '../../../schemas/services/service-template.js';
import { actionOf, ownershipActions, type Perform } from '../action.js';
import { rawIn, serviceDocument, templateDocument } from '../documents.js';
import { rawOf } from '../raw.js';
import { type Asked, addRoutes, type Counting, checked, done, jsonOf, objectOf, pagesOf, refused } from '../route.js';

const bodyOf = (sent: unknown): ServiceTemplateBody => checked(ServiceTemplateBody, templateIn(objectOf(sent)));

/** Another body: what stands beside it in the document stays. */
const replaced = ({ template_raw }: ServiceTemplateBody, sent: unknown): ServiceTemplateBody => ({
  ...bodyOf(sent),
  ...(template_raw !== undefined && { template_raw }),
});

/** goca says true and false. */
const Along = z.enum(['none', 'templates', 'all']).or(z.boolean()).nullable();

/** What is done to VM templates along with a service template: nothing, the same, or the same to their images, too. */
function alongOf(given: unknown): 'none' | 'templates' | 'all' {
  const along = checked(Along, given);
  return along === true ? 'all' : along || 'none';
}

/** `/service_template`: the templates of services. */
export function serviceTemplateRoutes(router: Router, operations: Operations, metrics: Counting): void {
  const { serviceTemplates, services } = operations;

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
      const wrong = refused('Action update: template_json is not valid JSON');
      const sent = typeof template_json === 'string' ? jsonOf(template_json, wrong) : template_json;
      if (sent === undefined) throw refused('Action update: You have to specify a template');
      await edit({ caller, id }, (present) =>
        append === true ? { ...present, ...objectOf(firstNames(objectOf(sent))) } : replaced(present, sent),
      );
    },
    // `recurisve` is what the command of 7.4 sends for --recursive-templates.
    clone: async ({ caller, id, ways, accepted }, { name, recurisve = 'none', recursive = recurisve }) => {
      const along = alongOf(recursive);
      const wish = { name, vm_templates: along !== 'none', images: along === 'all' };
      const template = await serviceTemplates.clone(caller, id, checked(CloneServiceTemplate, wish));
      if (along === 'all') accepted('cloneServiceTemplate');
      return { status: 201, document: templateDocument(template, ways) };
    },
  };

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
        const along = alongOf(delete_type);
        if (along === 'none') await serviceTemplates.remove(caller, id, unconditional);
        else await serviceTemplates.removeWhole(caller, id, { images: along === 'all', precondition: unconditional });
        return done;
      },
    },
    { method: 'post', path: '/service_template/{id}/action', answer: actionOf(actions) },
  ]);
}
