import { parseAcl, printAcl } from '../../domain/identity/acl.js';
import type { Caller } from '../../domain/identity/caller.js';
import { isAdministrator, isFor } from '../../domain/identity/permissions.js';
import { type Finding, Problem } from '../../domain/problems.js';
import type { Page } from '../../schemas/common/common.js';
import { limits } from '../../schemas/common/limits.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { AclResource, AclRule, CreateAcl, StoredAcl } from '../../schemas/identity/acl.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { administrator } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import type { Precondition } from '../precondition.js';
import { changeDirectory } from './change-directory.js';

// Rules that grant. Administrators alone make and remove them; everybody sees those that are about him.

export async function listAcls(
  context: OperationsContext,
  caller: Caller,
  query: ListQuery,
): Promise<Page<AclResource>> {
  const { acls } = context.directory;
  const page = await acls.list(caller, query);
  return { ...page, items: page.items.map(aclResource) };
}

export async function showAcl(context: OperationsContext, caller: Caller, id: number): Promise<AclResource> {
  const { acls } = context.directory;
  const found = await acls.find(id);
  if (!found) throw new Problem('not_found', `There is no rule ${id}.`);
  if (!isAdministrator(caller) && !isFor(found.rule.user, caller))
    throw new Problem('not_authorized', `Rule ${id} is not about you: only administrators see it.`);
  return aclResource(found);
}

export async function createAcl(context: OperationsContext, caller: Caller, request: CreateAcl): Promise<AclResource> {
  const { directory } = context;
  const { acls, version } = directory;
  const make = 'make rules';
  administrator(caller, make);
  const parsed = parseAcl(request.rule);
  if (!parsed.ok) throw malformed(parsed.faults.map((detail) => ({ pointer: '/rule', detail })));
  const { rule } = parsed;
  const made = await changeDirectory(directory, caller, async (asking, transaction) => {
    administrator(asking, make);
    const unknown = await unknownIn(context, rule, transaction);
    if (unknown.length > 0) throw malformed(unknown);
    const text = printAcl(rule);
    const same = await acls.byText(text, transaction);
    if (same) throw new Problem('already_there', `Rule ${same._id} says the same: ${text}.`);
    if ((await acls.count(transaction)) >= limits.rules.most)
      throw new Problem('wrong_state', `There are ${limits.rules.most} rules already. Remove some first.`);
    const stored: StoredAcl = { _id: await version.take('acl', transaction), rule, text, created_at: new Date() };
    await acls.insert(stored, transaction);
    return stored;
  });
  return aclResource(made);
}

export async function removeAcl(
  context: OperationsContext,
  caller: Caller,
  id: number,
  precondition: Precondition,
): Promise<void> {
  const { directory } = context;
  const { acls } = directory;
  await changeDirectory(directory, caller, async (asking, transaction) => {
    const found = await acls.find(id, transaction);
    if (!found) throw new Problem('not_found', `There is no rule ${id}.`);
    administrator(asking, 'remove rules');
    await precondition.demand(async () => aclResource(found));
    await acls.remove(id, transaction);
  });
}

/** Users and groups that a rule names and that are not there: ids are never used again, so it would be for nobody, ever. */
async function unknownIn(
  context: OperationsContext,
  { user, selector, types }: AclRule,
  transaction: Transaction,
): Promise<Finding[]> {
  const { users, groups } = context.directory;
  const uids = [
    ...(user.kind === 'user' ? [user.id] : []),
    ...(selector.kind === 'id' && types.includes('USER') ? [selector.id] : []),
  ];
  const gids = [
    ...(user.kind === 'group' ? [user.id] : []),
    ...(selector.kind === 'group' || (selector.kind === 'id' && types.includes('GROUP')) ? [selector.id] : []),
  ];
  const [knownUsers, knownGroups] = [await users.namesOf(uids, transaction), await groups.namesOf(gids, transaction)];
  return [
    ...[...new Set(uids)]
      .filter((id) => !knownUsers.has(id))
      .map((id) => `must not name user ${id}, which does not exist`),
    ...[...new Set(gids)]
      .filter((id) => !knownGroups.has(id))
      .map((id) => `must not name group ${id}, which does not exist`),
  ].map((detail) => ({ pointer: '/rule', detail }));
}

const aclResource = ({ _id: id, text: rule, created_at }: StoredAcl): AclResource => ({
  ...{ id, rule, created_at: created_at.toISOString() },
});

const malformed = (findings: readonly Finding[]): Problem =>
  new Problem('invalid_request', `The rule ${findings[0]?.detail ?? 'is malformed'}.`, { findings });
