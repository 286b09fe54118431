import type { Caller } from '../domain/caller.js';
import { permissionsOfNew } from '../domain/permission-bits.js';
import { Problem } from '../domain/problems.js';
import type { Page } from '../schemas/common.js';
import type { ListQuery } from '../schemas/list.js';
import type { VmTemplate, VmTemplateBody, VmTemplateResource } from '../schemas/vm-template.js';
import { isDuplicateKey } from '../store/operations.js';
import { authorised, mayCreate } from './authorise.js';
import type { OperationsContext } from './context.js';
import { refuseUnreadable } from './refuse-expressions.js';
import { namesFor, vmTemplateResource } from './resources.js';

export const vmTemplateOperations = ({ store, directory }: OperationsContext) => {
  const find = async (caller: Caller, id: number, right: 'use' | 'manage'): Promise<VmTemplate> =>
    authorised(caller, 'TEMPLATE', await store.vmTemplates.find(id), right, `VM template ${id}`);
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
      { name, template }: { name: string; template: VmTemplateBody },
    ): Promise<VmTemplateResource> {
      mayCreate(caller, 'TEMPLATE', 'VM templates');
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
      await nameFree(name, () => store.vmTemplates.insert(made));
      return shown(caller, made);
    },

    async update(
      caller: Caller,
      id: number,
      change: { name?: string; template?: VmTemplateBody },
    ): Promise<VmTemplateResource> {
      const present = await find(caller, id, 'manage');
      refuseUnreadable(change.template ?? {}, '/template');
      const after = await nameFree(change.name ?? present.name, () => store.vmTemplates.replace(id, change));
      if (!after) throw new Problem('not_found', `There is no VM template ${id}.`);
      return shown(caller, after);
    },

    async remove(caller: Caller, id: number): Promise<void> {
      await find(caller, id, 'manage');
      const using = await store.serviceTemplates.model.findOne({ 'body.roles.vm_template': id }, { name: 1 }).lean();
      if (using)
        throw new Problem(
          'in_use',
          `Service template ${using._id} (${using.name}) uses VM template ${id}. Change or delete that first.`,
        );
      await store.vmTemplates.remove(id);
    },
  };
};

/** Runs a write under a unique name; says so when the name is taken. */
export async function nameFree<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isDuplicateKey(error)) throw new Problem('name_taken', `You have a template "${name}" already.`);
    throw error;
  }
}
