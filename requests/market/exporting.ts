import type { Caller } from '../../domain/identity/caller.js';
import { added } from '../../domain/identity/quotas.js';
import { addressOf } from '../../domain/market/app-source.js';
import { boundTemplate, exportedImage, exportedVmTemplate, namesOfParts } from '../../domain/market/exported.js';
import { Problem } from '../../domain/problems.js';
import type { App, ExportApp } from '../../schemas/market/app.js';
import type { Marketplace } from '../../schemas/market/marketplace.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { ServiceTemplate } from '../../schemas/services/service-template.js';
import type { Image } from '../../schemas/storage/image.js';
import { type VmTemplate, VmTemplateBody } from '../../schemas/vms/vm-template.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { admit, repeatedRequest } from '../operations/admit.js';
import { serviceTemplates } from '../services/service-templates.js';
import { insertImage, newImage } from '../storage/making-images.js';
import { vmTemplates } from '../vms/vm-templates.js';

/** What comes with images of an app. */
type Templates = { ofVms: VmTemplate[]; service: ServiceTemplate | null };

/**
 * Images of an app, LOCKED, the templates that come with them, and the operation that brings the bytes: all are there from the same moment on, with their room and names, or
 * nothing is. What it takes: USE on the app, and what it takes to make the images and the templates.
 */
export async function exportApp(
  context: OperationsContext,
  caller: Caller,
  id: number,
  request: ExportApp,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const asked = { deed: 'export app', id, ...request };
  const repeated = await repeatedRequest(context, caller, admission, asked);
  if (repeated) return repeated;
  const app = authorised(caller, 'app', await store.apps.find(id), 'use', id);
  const act = { do: 'app', wish: 'export' } as const;
  await demandOn(store, act, { type: 'app', app });
  const images = await imagesOf(context, caller, app, request);
  const [first] = images;
  if (first === undefined) throw new Problem('wrong_state', `App ${id} (${app.name}) has no images.`);
  const ids = images.map(({ _id }) => _id);
  const { ofVms, service } = await templatesOf(context, caller, app, request, ids);
  return admit(context, caller, admission, {
    kind: 'exportApp',
    resource: { type: 'image', id: first._id },
    ...{ name: first.name, owner: first, charge: images.map(({ charge }) => charge).reduce(added) },
    input: { app: id, images: ids, vm_templates: ofVms.map(({ _id }) => _id), service_template: service?._id ?? null },
    request: asked,
    claim: async (op, transaction) => {
      if (!(await store.apps.beginExport(id, op, transaction))) return null;
      for (const image of images) await insertImage(context, { ...image, operation: op }, transaction);
      await writeTemplates(context, caller, { ofVms, service }, transaction);
      return { ...first, operation: op };
    },
    refusal: () => whyLost(store, act, { type: 'app', id }),
  });
}

/** An image for each part of an app, before any of its bytes is there. */
async function imagesOf(
  context: OperationsContext,
  caller: Caller,
  app: App,
  { name, datastore_id }: ExportApp,
): Promise<Omit<Image, 'operation'>[]> {
  const { _id: id, description, parts } = app;
  const market = await marketOf(context, app);
  const names = namesOfParts(name, parts);
  const images = [];
  for (const [at, part] of parts.entries()) {
    const address = addressOf(part, market);
    if (!address) throw new Problem('wrong_state', `App ${id} (${app.name}) has no bytes.`);
    images.push(
      await newImage(
        context,
        caller,
        { name: names[at] ?? name },
        {
          ...{ datastore_id, description, persistent: false, ...exportedImage(part) },
          origin: { app: id, ...address },
        },
      ),
    );
  }
  return images;
}

async function marketOf({ store }: OperationsContext, { market_id }: App): Promise<Marketplace> {
  const market = await store.marketplaces.find(market_id);
  if (!market) throw new Problem('not_found', `There is no marketplace ${market_id} any more.`);
  if (market.state === 'DISABLED')
    throw new Problem('wrong_state', `Marketplace ${market_id} (${market.name}) is disabled: enable it first.`);
  return market;
}

/** The templates that come with these images, checked as those are that people make. */
async function templatesOf(
  context: OperationsContext,
  caller: Caller,
  { _id: id, name: called, type, vm_template, templates = [], service_template }: App,
  { name, vm_template_name }: ExportApp,
  images: readonly number[],
): Promise<Templates> {
  const prepared = vmTemplates(context);
  if (type === 'IMAGE') {
    if (vm_template === null || vm_template_name === null) return { ofVms: [], service: null };
    const read = VmTemplateBody.safeParse(exportedVmTemplate(vm_template, images[0] ?? -1));
    if (!read.success)
      throw new Problem(
        'wrong_state',
        `The VM template of app ${id} (${called}) is none here: ${read.error.issues[0]?.message ?? 'it cannot be read'}. Export it without: vm_template_name null.`,
      );
    const wish = { name: vm_template_name ?? name, template: read.data };
    return { ofVms: [await prepared.prepare(caller, wish)], service: null };
  }
  const ofVms: VmTemplate[] = [];
  for (const carried of templates) {
    const wish = {
      name: service_template ? `${name}-${carried.name}` : name,
      template: boundTemplate(carried, images),
    };
    ofVms.push(await prepared.prepare(caller, wish));
  }
  if (!service_template) return { ofVms, service: null };
  const roles = service_template.roles.map((role) => ({ ...role, vm_template: ofVms[role.vm_template]?._id ?? -1 }));
  const service = await serviceTemplates(context, ofVms).prepare(caller, { ...service_template, name, roles });
  return { ofVms, service };
}

/** In the transaction that writes the images: VM templates first, which the service template names. */
async function writeTemplates(
  context: OperationsContext,
  caller: Caller,
  { ofVms, service }: Templates,
  transaction: Transaction,
): Promise<void> {
  const { quotas } = context.store;
  const owner = { uid: caller.id, uname: caller.name };
  for (const template of ofVms) await vmTemplates(context).writeIn(template, transaction);
  if (ofVms.length > 0) await quotas.demandRoom(owner, 'vm_templates', transaction);
  if (!service) return;
  await serviceTemplates(context, ofVms).writeIn(service, transaction);
  await quotas.demandRoom(owner, 'service_templates', transaction);
}
