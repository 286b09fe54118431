import type { Caller } from '../../domain/identity/caller.js';
import { disksOfOthers } from '../../domain/vms/image-names.js';
import type { CloneServiceTemplate, ServiceTemplateResource } from '../../schemas/services/service-template.js';
import type { Image } from '../../schemas/storage/image.js';
import type { VmTemplate, VmTemplateResource } from '../../schemas/vms/vm-template.js';
import type { OperationsContext } from '../context.js';
import { objectsOf } from '../managed.js';
import { admitIn, type Wish } from '../operations/admit.js';
import type { Precondition } from '../precondition.js';
import { imageRemoval } from '../storage/images.js';
import { imageCloning } from '../storage/making-images.js';
import { imagesOfTemplate, refuseMissing } from '../vms/template-images.js';
import { vmTemplates } from '../vms/vm-templates.js';
import { kept, serviceTemplates } from './service-templates.js';
import { vmTemplatesOf } from './template-checks.js';

// Service templates with what they are made of: their VM templates, and the images of those.

/**
 * A template of the caller's own that is as another, but for its name. It takes what making one does, and USE on the other.
 * With `vm_templates` those of its roles are cloned along, and with `images` what their disks are made of, too, each once: all is there, or
 * nothing is. The bytes of images are copied by operations that are admitted in the same moment; until then these are LOCKED.
 */
export async function cloneServiceTemplate(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { name, vm_templates = false, images = false }: CloneServiceTemplate,
): Promise<ServiceTemplateResource> {
  const { store } = context;
  const { find, shownOne } = objectsOf(context, 'service_template', kept(context));
  const { body } = await find(caller, id, 'use');
  const { create, prepare, writeIn } = serviceTemplates(context);
  if (!vm_templates && !images) return create(caller, { ...body, name });
  const templates = vmTemplates(context);
  // All are read before anything is prepared: one that he may not use is said first.
  const used: VmTemplateResource[] = [];
  for (const of of new Set(vmTemplatesOf(body))) used.push(await templates.show(caller, of));
  // As it is checked, it names those that there are.
  const prepared = await prepare(caller, { ...body, name });
  const copies = new Map<number, Wish<'cloneImage'>>();
  const clones = new Map<number, VmTemplate>();
  for (const one of used) {
    const called = `${name}-${one.name}`;
    const its = images ? await cloned(one, called) : new Map<number, number>();
    const template = its.size > 0 ? { ...one.template, DISK: disksOfOthers(one.template.DISK, its) } : one.template;
    clones.set(one.id, await templates.prepare(caller, { name: called, template }));
  }
  const roles = body.roles.map((role) => ({
    ...role,
    vm_template: clones.get(role.vm_template)?._id ?? role.vm_template,
  }));
  const made = { ...prepared, body: { ...prepared.body, roles } };
  const owner = { uid: caller.id, uname: caller.name };
  const starts = await store.quotas.makeCounted(owner, 'service_templates', async (transaction) => {
    for (const clone of clones.values()) {
      await templates.writeIn(clone, transaction);
      await store.quotas.demandRoom(owner, 'vm_templates', transaction);
    }
    await writeIn(made, transaction);
    const admitted = [];
    for (const copy of copies.values()) admitted.push(await admitIn(context, caller, copy, transaction));
    return admitted;
  });
  for (const start of starts) await start();
  return shownOne(caller, made);

  /** By the places of its disks the images that their clones are of. An image that others of these templates name, too, is cloned once. */
  async function cloned(of: VmTemplateResource, called: string): Promise<ReadonlyMap<number, number>> {
    const found = await imagesOfTemplate(context, of);
    refuseMissing(of, found.missing);
    const its = new Map<number, number>();
    for (const [disk, { _id: image }] of found.images) {
      const copy =
        copies.get(image) ??
        (await imageCloning(context, caller, image, { name: `${called}-disk-${disk}` }, { deed: 'clone images', id }));
      copies.set(image, copy);
      its.set(disk, copy.resource.id);
    }
    return its;
  }
}

/**
 * Removes a template together with the VM templates of its roles, and with `images` what their disks are made of: all of them, or, where one may
 * not go, nothing. The bytes of images are removed by operations that are admitted in the same moment. What a disk names that is not there is
 * in nobody's way.
 */
export async function removeServiceTemplateWhole(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { images: alsoImages, precondition }: { images: boolean; precondition: Precondition },
): Promise<void> {
  const { store } = context;
  const { edit } = objectsOf(context, 'service_template', kept(context));
  const { removeIn } = vmTemplates(context);
  let starts: (() => Promise<void>)[] = [];
  await edit(caller, id, precondition, async ({ body }, transaction) => {
    starts = [];
    const images = new Map<number, Image>();
    await store.serviceTemplates.remove(id, transaction);
    for (const one of new Set(vmTemplatesOf(body))) {
      const template = alsoImages ? await store.vmTemplates.find(one, transaction) : null;
      await removeIn(caller, one, transaction);
      if (template)
        for (const image of (await imagesOfTemplate(context, template)).images.values()) images.set(image._id, image);
    }
    for (const image of images.keys()) {
      const removal = await imageRemoval(context, caller, image, { request: { deed: 'delete images', id } });
      starts.push(await admitIn(context, caller, removal, transaction));
    }
    return true;
  });
  for (const start of starts) await start();
}
