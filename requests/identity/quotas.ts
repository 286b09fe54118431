import type { Caller } from '../../domain/identity/caller.js';
import { visibility } from '../../domain/identity/permissions.js';
import { countLimit, countsOf, isExempt } from '../../domain/identity/quotas.js';
import { groupSubject } from '../../domain/identity/user-rights.js';
import { Problem } from '../../domain/problems.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import {
  asDefault,
  type Counts,
  type DefaultQuotas,
  type DefaultQuotasEdit,
  type OwnQuotas,
  type Quota,
  type QuotaEdit,
  type QuotaHolder,
  type QuotaHolderType,
  type QuotaResource,
  type UserQuotaEdit,
  unlimited,
} from '../../schemas/identity/quota.js';
import { measureIn } from '../../schemas/identity/quota-on.js';
import { type CountedKind, kinds } from '../../schemas/kinds.js';
import { administrator, demand } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import type { Edit } from '../edit.js';
import { authorisedUser } from './authorise-user.js';
import { newlyLimited, ofGroup, ofUser, quotaResource, type SetLimits, stored } from './quota-shapes.js';

// Everybody sees what is his own; the rest is a right on the user or group: USE to see its quotas, ADMIN to set them.

/** The caller's own, and those of the caller's groups. */
export async function showOwnQuotas(context: OperationsContext, { id, groups }: Caller): Promise<OwnQuotas> {
  const ofGroups = await resources(
    context,
    'group',
    [...groups].sort((one, other) => one - other),
  );
  return { user: await shown(context, { type: 'user', id }), groups: ofGroups };
}

/** Of everybody who has used anything yet or has limits of his own, as far as the caller may see them. */
export async function listQuotas(
  context: OperationsContext,
  caller: Caller,
  type: QuotaHolderType,
  query: ListQuery,
): Promise<Page<QuotaResource>> {
  const { quotas } = context.store;
  const page = await quotas.list(type, query, await visible(context, caller, type));
  const ids = page.items.map(({ _id }) => _id);
  return { ...page, items: await resources(context, type, ids) };
}

export async function showQuota(
  context: OperationsContext,
  caller: Caller,
  holder: QuotaHolder,
): Promise<QuotaResource> {
  await demandOn(context, caller, holder, 'use');
  return shown(context, holder);
}

/** Changes limits of a group. One below what is used takes nothing away: it refuses more of that. */
export function updateGroupQuota(
  context: OperationsContext,
  caller: Caller,
  id: number,
  edit: Edit<QuotaEdit>,
): Promise<QuotaResource> {
  return changeLimits(context, caller, { type: 'group', id }, edit, ofGroup);
}

/** The same of a user. */
export function updateUserQuota(
  context: OperationsContext,
  caller: Caller,
  id: number,
  edit: Edit<UserQuotaEdit>,
): Promise<QuotaResource> {
  return changeLimits(context, caller, { type: 'user', id }, edit, ofUser);
}

export async function updateDefaultQuotas(
  context: OperationsContext,
  caller: Caller,
  { revise, precondition }: Edit<DefaultQuotasEdit>,
): Promise<DefaultQuotas> {
  const { quotas } = context.store;
  administrator(caller, 'set default quotas');
  await quotas.editDefaults(async ({ user, group }, transaction) => {
    await precondition.demand(() => showDefaultQuotas(context));
    const { wish } = revise({ users: ofUser(user, unlimited), groups: ofGroup(group, unlimited) });
    const after = { user: stored(wish.users, unlimited), group: stored(wish.groups, unlimited) };
    await demandThere(context, newlyLimited(after.user, user), '/users');
    await demandThere(context, newlyLimited(after.group, group), '/groups');
    await quotas.setDefaults(after, transaction);
  });
  return showDefaultQuotas(context);
}

/** Names of users or groups; those that do not exist are left out. */
function namesOf(
  context: OperationsContext,
  type: QuotaHolderType,
  ids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const { groups: groupStore, users } = context.directory;
  return (type === 'group' ? groupStore : users).namesOf(ids);
}

/** Those of these that exist, in this order. */
async function resources(
  context: OperationsContext,
  type: QuotaHolderType,
  ids: readonly number[],
): Promise<QuotaResource[]> {
  const { quotas } = context.store;
  const { tokens } = context.directory;
  const [names, found, defaults] = await Promise.all([
    namesOf(context, type, ids),
    quotas.byIds(type, ids),
    quotas.defaultLimits(),
  ]);
  const byId = new Map(found.map((quota) => [quota._id, quota]));
  const shown = ids.flatMap((id) => {
    const name = names.get(id);
    return name === undefined ? [] : [quotaResource({ type, id }, name, byId.get(id), defaults[type])];
  });
  if (type === 'group') return shown;
  const counts = await quotas.counts(shown.filter(({ exempt }) => !exempt).map(({ id }) => id));
  return Promise.all(
    shown.map(async (quota) => {
      const has = quota.exempt
        ? noCounts
        : { ...noCounts, ...counts.get(quota.id), tokens: await tokens.count(quota.id) };
      const limits = byId.get(quota.id)?.limits;
      const of = (kind: CountedKind) => ({
        limit: limits?.[kind] ?? asDefault,
        effective: countLimit(kind, quota.id, limits, defaults.user),
        used: has[kind],
      });
      return { ...quota, ...countsOf(of) };
    }),
  );
}

async function shown(context: OperationsContext, { type, id }: QuotaHolder): Promise<QuotaResource> {
  const [resource] = await resources(context, type, [id]);
  if (!resource) throw gone({ type, id });
  return resource;
}

async function demandOn(
  context: OperationsContext,
  caller: Caller,
  { type, id }: QuotaHolder,
  right: 'use' | 'admin',
): Promise<void> {
  const { users } = context.directory;
  if (type === 'user') authorisedUser(caller, id, await users.find(id), right);
  else demand(caller, groupSubject({ _id: id }), right, `group ${id}`);
}

/** Whose quotas of a kind the caller may see; null: everybody's. The same rule as that of `show`. */
async function visible(context: OperationsContext, caller: Caller, type: QuotaHolderType): Promise<number[] | null> {
  const { users } = context.directory;
  const seen = visibility(caller, type === 'user' ? 'USER' : 'GROUP');
  if (seen.all) return null;
  return type === 'user'
    ? [caller.id, ...seen.ids, ...(await users.idsIn(seen.gids))]
    : [...caller.groups, ...seen.ids];
}

export async function showDefaultQuotas(context: OperationsContext): Promise<DefaultQuotas> {
  const { quotas } = context.store;
  const { user, group } = await quotas.defaultLimits();
  return { users: ofUser(user, unlimited), groups: ofGroup(group, unlimited) };
}

/** Limits on what there is not are refused: an id is easily mistaken. What goes later takes no limit with it. */
async function demandThere({ store }: OperationsContext, keys: readonly string[], under = ''): Promise<void> {
  for (const key of keys) {
    const measure = measureIn(key);
    if (!measure) continue;
    const { kind, id } = measure;
    const stores = { network: store.networks, datastore: store.datastores, image: store.images };
    if (!(await stores[kind].find(id)))
      throw new Problem('invalid_request', 'The limits cannot be set.', {
        findings: [{ pointer: `${under}/per_${kind}/${id}`, detail: `there is no ${kinds[kind].one} ${id}` }],
      });
  }
}

async function changeLimits<T extends SetLimits>(
  context: OperationsContext,
  caller: Caller,
  holder: QuotaHolder,
  { revise, precondition }: Edit<T>,
  present: (limits: Quota['limits']) => T,
): Promise<QuotaResource> {
  const { quotas, references } = context.store;
  await demandOn(context, caller, holder, 'admin');
  await shown(context, holder);
  if (isExempt(holder))
    throw new Problem(
      'wrong_state',
      `${holder.type === 'user' ? 'User' : 'Group'} 0 is never counted: no limit would hold.`,
    );
  await quotas.edit(holder, async ({ limits }, transaction) => {
    if ((await references.touch(holder.type, [holder.id], transaction)).length > 0) throw gone(holder);
    await precondition.demand(() => shown(context, holder));
    const wish = stored(revise(present(limits)).wish);
    await demandThere(context, newlyLimited(wish, limits));
    await quotas.setLimits(holder, wish, transaction);
  });
  return shown(context, holder);
}

const gone = ({ type, id }: QuotaHolder): Problem => new Problem('not_found', `There is no ${type} ${id}.`);

const noCounts: Counts = countsOf(() => 0);
