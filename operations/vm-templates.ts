import { measureVmTemplate } from '../domain/bounds.js';
import type { Caller } from '../domain/caller.js';
import { objectName } from '../domain/given-names.js';
import { permissionsOfNew } from '../domain/permission-bits.js';
import { allowed } from '../domain/permissions.js';
import { Problem } from '../domain/problems.js';
import type { Page } from '../schemas/common.js';
import type { ListQuery } from '../schemas/list.js';
import type { CreateVmTemplate, VmTemplate, VmTemplateBody, VmTemplateResource } from '../schemas/vm-template.js';
import { isDuplicateKey } from '../store/operations.js';
import { authorised, mayCreate, subjectOf } from './authorise.js';
import type { OperationsContext } from './context.js';
import type { Edit } from './edit.js';
import type { Precondition } from './precondition.js';
import { refuseBeyond } from './refuse-beyond.js';
import { refuseUnreadable } from './refuse-expressions.js';
import { refuseNames } from './refuse-names.js';
import { namesFor, vmTemplateResource } from './resources.js';

export const vmTemplateOperations = ({ store, directory }: OperationsContext) => {
  const find = async (caller: Caller, id: number, right: 'use' | 'manage'): Promise<VmTemplate> =>
    authorised(caller, 'vm_template', await store.vmTemplates.find(id), right, id);
  const shown = async (caller: Caller, template: VmTemplate): Promise<VmTemplateResource> =>
    vmTemplateResource(template, await namesFor(directory, caller, [template]));

  return {
    async list(caller: Caller, query: ListQuery): Promise<Page<VmTemplateResource>> {
      const page = await store.vmTemplates.list(caller, query);
      const names = await namesFor(directory, caller, page.items);
      return { ...page, items: page.items.map((template) => vmTemplateResource(template, names)) };
    },

    show: async (caller: Caller, id: number): Promise<VmTemplateResource> =>
      shown(caller, await find(caller, id, 'use')),

    async create(
      caller: Caller,
      { name: wished, template }: { name: string; template: VmTemplateBody },
    ): Promise<VmTemplateResource> {
      mayCreate(caller, 'vm_template');
      const name = objectName(wished);
      refuseNames(template, '/template');
      refuseBeyond(measureVmTemplate(template, '/template'));
      refuseUnreadable(template, '/template');
      const made: VmTemplate = {
        _id: await store.counters.one('vm_template'),
        name,
        uid: caller.id,
        gid: caller.gid,
        permissions: permissionsOfNew(caller),
        template,
        created_at: new Date(),
      };
      await nameFree(name, () =>
        store.quotas.makeCounted(nameOfOwner(caller), 'vm_templates', async (session) => {
          await store.references.makeFor(made, session);
          await store.vmTemplates.insert(made, session);
        }),
      );
      return shown(caller, made);
    },

    async update(
      caller: Caller,
      id: number,
      { revise, precondition }: Edit<CreateVmTemplate>,
    ): Promise<VmTemplateResource> {
      await find(caller, id, 'manage');
      const after = await store.edit(store.vmTemplates.model, id, async (found, session) => {
        const present = authorised(caller, 'vm_template', found, 'manage', id);
        await precondition.demand(() => shown(caller, present));
        const { wish } = revise({ name: present.name, template: present.template });
        const name = objectName(wish.name, present.name);
        refuseNames(wish.template, '/template', present.template);
        refuseBeyond(measureVmTemplate(wish.template, '/template'), measureVmTemplate(present.template, '/template'));
        refuseUnreadable(wish.template, '/template', present.template);
        return nameFree(name, () => store.vmTemplates.replace(id, { ...wish, name }, session));
      });
      if (!after) throw new Problem('not_found', `There is no VM template ${id}.`);
      return shown(caller, after);
    },

    async remove(caller: Caller, id: number, precondition: Precondition): Promise<void> {
      await find(caller, id, 'manage');
      const removed = await store.edit(store.vmTemplates.model, id, async (found, session) => {
        const present = authorised(caller, 'vm_template', found, 'manage', id);
        await precondition.demand(() => shown(caller, present));
        const using = await store.serviceTemplates.model
          .findOne({ 'body.roles.vm_template': id }, { name: 1, uid: 1, gid: 1, permissions: 1 }, { session })
          .lean();
        if (using) throw inUse(id, allowed(caller, subjectOf('service_template', using), 'use') ? using : null);
        await store.vmTemplates.remove(id, session);
        return true;
      });
      if (!removed) throw new Problem('not_found', `There is no VM template ${id}.`);
    },
  };
};

/** Whose what is made is, for a refusal. */
export const nameOfOwner = ({ id, name }: Caller) => ({ uid: id, uname: name });

/** `using`: a service template that the caller may see; null: he may not. */
const inUse = (id: number, using: { _id: number; name: string } | null): Problem =>
  new Problem(
    'in_use',
    using
      ? `Service template ${using._id} (${using.name}) uses VM template ${id}. Change or delete that first.`
      : `A service template of somebody else uses VM template ${id}.`,
  );

/** Runs a write under a unique name; says so when the name is taken. */
export async function nameFree<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isDuplicateKey(error)) throw new Problem('name_taken', `You have a template "${name}" already.`);
    throw error;
  }
}
