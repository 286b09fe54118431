import { measureVmTemplate } from '../domain/bounds.js';
import { allowed } from '../domain/permissions.js';
import { Problem } from '../domain/problems.js';
import type { CreateVmTemplate, VmTemplate, VmTemplateBody } from '../schemas/vm-template.js';
import { subjectOf } from './authorise.js';
import type { OperationsContext } from './context.js';
import { managed } from './managed.js';
import { refuseBeyond } from './refuse-beyond.js';
import { refuseUnreadable } from './refuse-expressions.js';
import { refuseNames } from './refuse-names.js';
import { namesFor, vmTemplateResource } from './resources.js';

export const vmTemplateOperations = (context: OperationsContext) => {
  const { store, directory } = context;
  const check = ({ template }: Template, before?: Template): void => {
    refuseNames(template, '/template', before?.template);
    refuseBeyond(measureVmTemplate(template, '/template'), before && measureVmTemplate(before.template, '/template'));
    refuseUnreadable(template, '/template', before?.template);
  };

  return managed(context, 'vm_template', {
    ...store.vmTemplates,
    async shown(caller, templates) {
      const names = await namesFor(directory, caller, templates);
      return templates.map((template) => vmTemplateResource(template, names));
    },
    make: async (_caller, wish: { name: string; template: VmTemplateBody }) => {
      check(wish);
      return (base): VmTemplate => ({ ...base, template: wish.template });
    },
    editable: ({ name, template }): CreateVmTemplate => ({ name, template }),
    async change(_caller, wish, present, session) {
      check(wish, present);
      return store.vmTemplates.replace(present._id, wish, session);
    },
    async remove(caller, { _id: id }, session) {
      const using = await store.serviceTemplates.model
        .findOne({ 'body.roles.vm_template': id }, { name: 1, uid: 1, gid: 1, permissions: 1 }, { session })
        .lean();
      if (using) throw inUse(id, allowed(caller, subjectOf('service_template', using), 'use') ? using : null);
      await store.vmTemplates.remove(id, session);
    },
  });
};

type Template = { template: VmTemplateBody };

/** `using`: a service template that the caller may see; null: he may not. */
const inUse = (id: number, using: { _id: number; name: string } | null): Problem =>
  new Problem(
    'in_use',
    using
      ? `Service template ${using._id} (${using.name}) uses VM template ${id}. Change or delete that first.`
      : `A service template of somebody else uses VM template ${id}.`,
  );
