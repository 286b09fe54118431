import type { Caller } from '../../domain/identity/caller.js';
import { addressOf } from '../../domain/market/app-source.js';
import { exportedImage, exportedVmTemplate } from '../../domain/market/exported.js';
import { Problem } from '../../domain/problems.js';
import type { App, ExportApp } from '../../schemas/market/app.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { VmTemplate } from '../../schemas/vms/vm-template.js';
import { VmTemplateBody } from '../../schemas/vms/vm-template.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { admit, repeatedRequest } from '../operations/admit.js';
import { insertImage, newImage } from '../storage/making-images.js';
import { vmTemplates } from '../vms/vm-templates.js';

/**
 * An image of an app, LOCKED, the VM template that comes with it, and the operation that brings the bytes: all are there from the same moment on, with their room and names, or
 * nothing is. What it takes: USE on the app, and what it takes to make the image and the template.
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
  const address = await addressIn(context, app);
  const { name, datastore_id } = request;
  const { description } = app;
  const image = await newImage(
    context,
    caller,
    { name },
    {
      ...{ datastore_id, description, persistent: false, ...exportedImage(app) },
      origin: { app: id, ...address },
    },
  );
  const template = await templateOf(context, caller, app, { ...request, image: image._id });
  const templates = vmTemplates(context);
  const owner = { uid: caller.id, uname: caller.name };
  return admit(context, caller, admission, {
    kind: 'exportApp',
    resource: { type: 'image', id: image._id },
    ...{ name: image.name, owner: image, charge: image.charge },
    input: { app: id, vm_template: template?._id ?? null },
    request: asked,
    claim: async (op, transaction) => {
      if (!(await store.apps.beginExport(id, op, transaction))) return null;
      const made = await insertImage(context, { ...image, operation: op }, transaction);
      if (template) {
        await templates.writeIn(template, transaction);
        await store.quotas.demandRoom(owner, 'vm_templates', transaction);
      }
      return made;
    },
    refusal: () => whyLost(store, act, { type: 'app', id }),
  });
}

/** Where its bytes are, as its marketplace says now. */
async function addressIn({ store }: OperationsContext, app: App) {
  const { market_id } = app;
  const market = await store.marketplaces.find(market_id);
  if (!market) throw new Problem('not_found', `There is no marketplace ${market_id} any more.`);
  if (market.state === 'DISABLED')
    throw new Problem('wrong_state', `Marketplace ${market_id} (${market.name}) is disabled: enable it first.`);
  const address = addressOf(app, market);
  if (address) return address;
  throw new Problem('wrong_state', `App ${app._id} (${app.name}) has no bytes.`);
}

/** The VM template that comes with the image, checked; null: the app has none, or it is not asked for. */
async function templateOf(
  context: OperationsContext,
  caller: Caller,
  { _id: id, name: called, vm_template }: App,
  { name, vm_template_name, image }: ExportApp & { image: number },
): Promise<VmTemplate | null> {
  if (vm_template === null || vm_template_name === null) return null;
  const read = VmTemplateBody.safeParse(exportedVmTemplate(vm_template, image));
  if (!read.success)
    throw new Problem(
      'wrong_state',
      `The VM template of app ${id} (${called}) is none here: ${read.error.issues[0]?.message ?? 'it cannot be read'}. Export it without: vm_template_name null.`,
    );
  return vmTemplates(context).prepare(caller, { name: vm_template_name ?? name, template: read.data });
}
