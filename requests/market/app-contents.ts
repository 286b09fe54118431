import { randomBytes } from 'node:crypto';
import { keptAttributes } from '../../domain/attribute-names.js';
import type { Caller } from '../../domain/identity/caller.js';
import { appKey } from '../../domain/market/app-key.js';
import { Problem } from '../../domain/problems.js';
import { whyWhole } from '../../domain/storage/image-snapshots.js';
import { limits } from '../../schemas/common/limits.js';
import type { App, AppPart, AppTemplate, CreateApp } from '../../schemas/market/app.js';
import type { Image } from '../../schemas/storage/image.js';
import type { VmTemplate } from '../../schemas/vms/vm-template.js';
import { demandOn } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { imagesOfTemplate, refuseMissing } from '../vms/template-images.js';

/** What an app is made of. */
export type Contents = Pick<App, 'type' | 'origin_id' | 'vm_template' | 'templates' | 'service_template'> & {
  /** In the order of its parts. */
  images: Image[];
};

/** An image, or a template with all images that its VMs have disks of, each once: all are the caller's to use. */
export async function contentsOf(
  context: OperationsContext,
  caller: Caller,
  { image_id, vm_template_id, service_template_id, app_template, vm_template }: CreateApp,
): Promise<Contents> {
  const { store } = context;
  const given = [image_id, vm_template_id, service_template_id].filter((id) => id !== undefined);
  if (given.length !== 1)
    throw new Problem('invalid_request', 'An app is made of one thing.', {
      findings: [{ pointer: '', detail: 'give image_id, vm_template_id or service_template_id' }],
    });
  if (image_id !== undefined)
    return {
      ...{ type: 'IMAGE', origin_id: image_id, vm_template: vm_template ?? null },
      images: [await publishable(context, caller, image_id)],
    };
  if (app_template !== undefined || vm_template !== undefined)
    throw new Problem('invalid_request', 'What a template is made of comes with it.', {
      findings: [{ pointer: app_template ? '/app_template' : '/vm_template', detail: 'is of an app of an image' }],
    });
  if (vm_template_id !== undefined) {
    const template = authorised(
      caller,
      'vm_template',
      await store.vmTemplates.find(vm_template_id),
      'use',
      vm_template_id,
    );
    const carried = await carriedBy(context, caller, [template]);
    return { type: 'VMTEMPLATE', origin_id: vm_template_id, vm_template: null, ...carried };
  }
  const id = service_template_id ?? -1;
  const { body } = authorised(caller, 'service_template', await store.serviceTemplates.find(id), 'use', id);
  const ids = [...new Set(body.roles.map((role) => role.vm_template))];
  const found = new Map((await store.vmTemplates.byIds(ids)).map((template) => [template._id, template]));
  const templates = ids.map((one) => authorised(caller, 'vm_template', found.get(one) ?? null, 'use', one));
  const carried = await carriedBy(context, caller, templates);
  const roles = body.roles.map((role) => ({ ...role, vm_template: ids.indexOf(role.vm_template) }));
  return {
    ...{ type: 'SERVICE_TEMPLATE', origin_id: id, vm_template: null, ...carried },
    service_template: { ...body, roles },
  };
}

/** VM templates as an app carries them, with the images of their disks. */
async function carriedBy(
  context: OperationsContext,
  caller: Caller,
  all: readonly VmTemplate[],
): Promise<{ templates: AppTemplate[]; images: Image[] }> {
  const images: Image[] = [];
  const partOf = async (id: number): Promise<number> => {
    const known = images.findIndex(({ _id }) => _id === id);
    return known >= 0 ? known : images.push(await publishable(context, caller, id)) - 1;
  };
  const templates: AppTemplate[] = [];
  for (const { _id, name, template, uid } of all) {
    const found = await imagesOfTemplate(context, { template, uid });
    refuseMissing({ id: _id, name }, found.missing);
    const disks = [];
    for (const [place, { _id: image }] of found.images) disks.push({ place, part: await partOf(image) });
    templates.push({ name, template, disks });
  }
  if (images.length === 0)
    throw new Problem('invalid_request', 'No disk of it is of an image: there are no bytes to publish.');
  if (images.length > limits.appParts.most)
    throw new Problem(
      'invalid_request',
      `It has disks of ${images.length} images, and an app carries ${limits.appParts.most}.`,
    );
  return { templates, images };
}

/** The parts of an app before any of their bytes is there. */
export const partsOf = (app: number, images: readonly Image[], attributes: CreateApp['app_template']): AppPart[] =>
  images.map(({ _id: origin_id, name, format, virtual_size, type, attributes: its = {} }) => ({
    ...{ origin_id, name, key: appKey(app, randomBytes(16).toString('hex')), url: null },
    ...{ bytes: null, md5: null, sha256: null, format, virtual_size, image_type: type },
    app_template: attributes ? keptAttributes(attributes) : its,
  }));

/** An image whose bytes can be sent, and that the caller may use. */
export async function publishable({ store }: OperationsContext, caller: Caller, id: number): Promise<Image> {
  const image = authorised(caller, 'image', await store.images.find(id), 'use', id);
  await demandOn(store, { do: 'image', wish: 'clone' }, { type: 'image', image });
  const whole = whyWhole(image, 'is published');
  if (whole !== null) throw new Problem('wrong_state', whole);
  if (image.ds_mad !== 'simulated') return image;
  throw new Problem('not_implemented', `Image ${id} is in a simulated datastore, which keeps no bytes.`);
}
