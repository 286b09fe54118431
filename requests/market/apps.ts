import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { sourceOf } from '../../domain/market/app-source.js';
import { operationAtWork } from '../../domain/operations/at-work.js';
import { megabytesOf } from '../../domain/storage/image-states.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { App, AppEdit, AppResource } from '../../schemas/market/app.js';
import type { Marketplace } from '../../schemas/market/marketplace.js';
import { demandOn } from '../acts/acts.js';
import type { OperationsContext } from '../context.js';
import type { Edit } from '../edit.js';
import { nameFree } from '../free-name.js';
import { objectsOf } from '../managed.js';
import { ownershipOf } from '../ownership-of.js';
import { iso, type Names, namesFor, ownership } from '../resources.js';

/** How apps are looked at and edited. */
const objects = (context: OperationsContext) =>
  objectsOf(context, 'app', {
    find: context.store.apps.find,
    shown: (caller, apps) => shown(context, caller, apps),
  });

/** Whose an app is. */
export const appOwnership = (context: OperationsContext) =>
  ownershipOf(context, 'app', { change: context.store.ownership.changeOf('app'), shown: objects(context).shownOne });

export const showApp = (context: OperationsContext, caller: Caller, id: number): Promise<AppResource> =>
  objects(context).show(caller, id);

export async function listApps(
  context: OperationsContext,
  caller: Caller,
  query: ListQuery,
): Promise<Page<AppResource>> {
  const page = await context.store.apps.list(caller, query);
  return { ...page, items: await shown(context, caller, page.items) };
}

/** Changes what is told of it, and whether it may be exported; never its bytes. */
export async function updateApp(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { revise, precondition }: Edit<AppEdit>,
): Promise<AppResource> {
  const { store } = context;
  const { edit, shownOne } = objects(context);
  const after = await edit(caller, id, precondition, async (app, transaction) => {
    const before = editable(app);
    const { wish, named } = revise(before);
    const becomes = wish.state === 'enabled' ? 'enable' : 'disable';
    if (named.has('state')) await demandOn(store, { do: 'app', wish: becomes }, { type: 'app', app });
    const state = named.has('state') && wish.state !== before.state ? stateOf[wish.state] : app.state;
    const name = objectName(wish.name, app.name);
    const { description, version, publisher, tags, app_template, vm_template } = wish;
    const change = { name, description, version, publisher, tags, app_template, vm_template, state };
    return nameFree('app', name, () => store.apps.change(id, change, transaction));
  });
  return shownOne(caller, after);
}

const stateOf = { enabled: 'READY', disabled: 'DISABLED' } as const;

/** What can be edited of an app, as it is. */
const editable = (app: App): AppEdit => {
  const { name, description, version, publisher, tags, app_template, vm_template, state } = app;
  return {
    ...{ name, description, version, publisher, tags, app_template, vm_template },
    state: state === 'DISABLED' ? 'disabled' : 'enabled',
  };
};

async function shown(
  { store, directory }: OperationsContext,
  caller: Caller,
  apps: readonly App[],
): Promise<AppResource[]> {
  const [names, markets] = await Promise.all([
    namesFor(directory, caller, apps),
    store.marketplaces.byIds([...new Set(apps.map(({ market_id }) => market_id))]),
  ]);
  const found = new Map(markets.map((market) => [market._id, market]));
  return apps.map((app) => appResource(app, names, found.get(app.market_id)));
}

function appResource(app: App, names: Names, market: Marketplace | undefined): AppResource {
  const { _id: id, name, description, version, publisher, tags, market_id, type, state, reason, origin_id } = app;
  const { bytes, virtual_size, md5, sha256, format, image_type, app_template, vm_template, exports } = app;
  const isThere = state === 'READY' || state === 'DISABLED';
  return {
    ...{ id, name, ...ownership(app), ...names(app) },
    ...{ description, version, publisher, tags, market_id, type, state, reason, origin_id },
    source: isThere && market ? sourceOf(app, market) : null,
    ...{ bytes, size_mb: bytes === null ? null : megabytesOf(bytes), virtual_size, md5, sha256, format },
    ...{ image_type, app_template, vm_template, exports, operation: operationAtWork(app) },
    created_at: iso(app.created_at),
  };
}
