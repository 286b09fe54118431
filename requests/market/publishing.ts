import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { Problem, problemOf } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';
import { kinds } from '../../schemas/kinds.js';
import type { App, CreateApp } from '../../schemas/market/app.js';
import type { Marketplace } from '../../schemas/market/marketplace.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised, mayCreate } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { nameFree } from '../free-name.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';
import { contentsOf, partsOf, publishable } from './app-contents.js';

/** An app, LOCKED, and the operation that sends its bytes: takes CREATE on apps, and USE on the marketplace and on what it is made of. */
export async function publishApp(
  context: OperationsContext,
  caller: Caller,
  request: CreateApp,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const asked = { deed: 'publish app', ...request };
  const repeated = await repeatedRequest(context, caller, admission, asked);
  if (repeated) return repeated;
  mayCreate(caller, 'app');
  const name = objectName(request.name);
  const { market_id, description, version, publisher = caller.name, tags, app_template } = request;
  await marketForApps(context, caller, market_id);
  const { images, ...contents } = await contentsOf(context, caller, request);
  const id = await store.counters.one(kinds.app.ids.pool);
  const app: Omit<App, 'operation'> = {
    ...{ _id: id, name, uid: caller.id, gid: caller.gid, permissions: permissionsOfNew(caller) },
    ...{ description, version, publisher, tags, market_id, ...contents, state: 'LOCKED', reason: null },
    ...{ upstream: null, parts: partsOf(id, images, app_template), exports: [], wanted: null, epoch: 0 },
    created_at: new Date(),
  };
  const ids = images.map(({ _id }) => _id);
  return admit(context, caller, admission, {
    kind: 'publishApp',
    resource: { type: 'app', id },
    ...{ name, owner: app, input: { images: ids }, request: asked },
    claim: async (op, transaction) => {
      if (!(await holdAll(context, ids, id, transaction))) return null;
      await store.references.makeFor(app, transaction);
      await refuseMore(context, app, transaction);
      await stays(context, market_id, transaction);
      const made = { ...app, operation: op };
      await nameFree('app', name, () => store.apps.insert(made, transaction));
      return made;
    },
    refusal: () => whyNotHeld(context, ids),
  });
}

/** What could not be published is sent again. */
export async function publishAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { images }: OperationInputs['publishApp'],
  { request, retryOf, admission }: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const app = authorised(caller, 'app', await store.apps.find(id), 'manage', id);
  const act = { do: 'app', wish: 'publish' } as const;
  await demandOn(store, act, { type: 'app', app });
  await marketForApps(context, caller, app.market_id);
  for (const image of images) await publishable(context, caller, image);
  return admit(context, caller, admission, {
    kind: 'publishApp',
    resource: { type: 'app', id },
    ...{ name: app.name, owner: app, input: { images }, request },
    ...(retryOf !== undefined && { retryOf }),
    claim: async (op, transaction) => {
      if (!(await holdAll(context, images, id, transaction))) return null;
      await refuseMore(context, app, transaction);
      return store.apps.admitAgain(id, op, transaction);
    },
    refusal: () => whyLost(store, act, { type: 'app', id }),
  });
}

/** Removes it, and what there is of it in its marketplace; what publishes it gives way. */
export async function removeApp(
  context: OperationsContext,
  caller: Caller,
  id: number,
  admission: Admission,
): Promise<OperationResource> {
  authorised(caller, 'app', await context.store.apps.find(id), 'manage', id);
  const request = { deed: 'delete app', id };
  const repeated = await repeatedRequest(context, caller, admission, request);
  return repeated ?? removeAppAgain(context, caller, id, { request, admission });
}

export async function removeAppAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { request, retryOf, admission }: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const app = authorised(caller, 'app', await store.apps.find(id), 'manage', id);
  const act = { do: 'app', wish: 'remove' } as const;
  await demandOn(store, act, { type: 'app', app });
  return admit(context, caller, admission, {
    kind: 'deleteApp',
    resource: { type: 'app', id },
    ...{ name: app.name, owner: app, input: {}, request, ...(retryOf !== undefined && { retryOf }) },
    claim: (op, transaction) => store.apps.admitDeletion(id, op, transaction),
    refusal: () => whyLost(store, act, { type: 'app', id }),
  });
}

/** The images stay as they are until the app is there. All or none: what was written of some goes with the transaction. */
async function holdAll(
  { store }: OperationsContext,
  images: readonly number[],
  app: number,
  transaction: Transaction,
): Promise<boolean> {
  for (const image of images) if (!(await store.images.beginPublishing(image, app, transaction))) return false;
  return true;
}

/** Of which of them that cannot be, in the words of its acts. */
async function whyNotHeld({ store }: OperationsContext, images: readonly number[]): Promise<Problem> {
  for (const id of images) {
    const image = await store.images.find(id);
    const act = { do: 'image', wish: 'clone' } as const;
    const fault = image
      ? await demandOn(store, act, { type: 'image', image }).then(() => null, problemOf)
      : new Problem('not_found', `There is no image ${id}.`);
    if (fault) return fault;
  }
  return new Problem('operation_in_progress', 'Somebody else has changed an image of it just now; try again.');
}

/** A marketplace that takes apps, and that the caller may use. */
async function marketForApps({ store }: OperationsContext, caller: Caller, id: number): Promise<Marketplace> {
  const market = authorised(caller, 'market', await store.marketplaces.find(id), 'use', id);
  const it = `Marketplace ${id} (${market.name})`;
  if (market.market_mad === 'one')
    throw new Problem('invalid_request', `${it} is a catalogue of others, which is read: nothing is published in it.`, {
      findings: [{ pointer: '/market_id', detail: 'is of market_mad one' }],
    });
  if (market.state === 'DISABLED') throw new Problem('wrong_state', `${it} is disabled: enable it first.`);
  return market;
}

/** Whoever removes the marketplace writes it, too: of two that meet, one goes again. */
async function stays({ store }: OperationsContext, id: number, transaction: Transaction): Promise<void> {
  const [missing] = await store.references.touch('market', [id], transaction);
  if (missing !== undefined) throw new Problem('not_found', `There is no marketplace ${id}.`);
}

/** Nobody has so many apps on their way that others have no places for theirs. */
async function refuseMore(
  { store }: OperationsContext,
  { uid }: Pick<App, 'uid'>,
  transaction: Transaction,
): Promise<void> {
  const { most } = limits.appsBeingPublished;
  if ((await store.apps.beingPublished(uid, transaction)) >= most)
    throw new Problem(
      'wrong_state',
      `${most} apps of one user are being published, as many as possible at a time. Wait for one of them, or cancel one.`,
    );
}
