import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { sourceOf } from '../../domain/market/app-source.js';
import { operationAtWork } from '../../domain/operations/at-work.js';
import { Problem } from '../../domain/problems.js';
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
    if (app.type !== 'IMAGE' && (named.has('app_template') || named.has('vm_template')))
      throw new Problem('wrong_state', `App ${id} (${app.name}) is a template: what it carries stays as it is.`);
    const parts = app.type === 'IMAGE' ? app.parts.map((part) => ({ ...part, app_template })) : app.parts;
    const change = { name, description, version, publisher, tags, parts, vm_template, state };
    return nameFree('app', name, () => store.apps.change(id, change, transaction));
  });
  return shownOne(caller, after);
}

const stateOf = { enabled: 'READY', disabled: 'DISABLED' } as const;

/** What can be edited of an app, as it is. */
const editable = (app: App): AppEdit => {
  const { name, description, version, publisher, tags, parts, vm_template, state } = app;
  return {
    ...{ name, description, version, publisher, tags, app_template: parts[0]?.app_template ?? {}, vm_template },
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
  const { parts, vm_template, templates = [], exports } = app;
  const isThere = state === 'READY' || state === 'DISABLED';
  const shown = parts.map((part) => ({
    ...{ name: part.name, source: isThere && market ? sourceOf(part, market) : null, bytes: part.bytes },
    ...{ md5: part.md5, sha256: part.sha256, format: part.format, image_type: part.image_type },
  }));
  const [one, ...others] = shown;
  const single = others.length === 0 ? one : undefined;
  const bytes = sumOf(parts.map((part) => part.bytes));
  return {
    ...{ id, name, ...ownership(app), ...names(app) },
    ...{ description, version, publisher, tags, market_id, type, state, reason, origin_id },
    ...{ source: single?.source ?? null, bytes, size_mb: bytes === null ? null : megabytesOf(bytes) },
    ...{ virtual_size: sumOf(parts.map((part) => part.virtual_size)), md5: single?.md5 ?? null },
    ...{ sha256: single?.sha256 ?? null, format: single?.format ?? null, image_type: single?.image_type ?? null },
    ...{ parts: shown, app_template: parts[0]?.app_template ?? {}, vm_template },
    ...{ templates: templates.map((template) => template.name), exports, operation: operationAtWork(app) },
    created_at: iso(app.created_at),
  };
}

/** null: one of them is not known. */
const sumOf = (numbers: readonly (number | null)[]): number | null =>
  numbers.reduce((sum, number) => (sum === null || number === null ? null : sum + number), 0);
