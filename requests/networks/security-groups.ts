import type { Caller } from '../../domain/identity/caller.js';
import { allowed } from '../../domain/identity/permissions.js';
import { addressesLeft } from '../../domain/networks/addresses.js';
import { mostNamed } from '../../domain/networks/holders.js';
import { type Finding, Problem } from '../../domain/problems.js';
import { listed } from '../../domain/words.js';
import {
  type CreateSecurityGroup,
  defaultSecurityGroup,
  type SecurityGroup,
  type SecurityGroupEdit,
  type SecurityGroupResource,
  type SecurityRule,
} from '../../schemas/networks/security-group.js';
import type { GroupUsers } from '../../store/networks/security-groups.js';
import { subjectOf } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { managed } from '../managed.js';
import { iso, namesFor, ownership } from '../resources.js';

export const securityGroups = (context: OperationsContext) => {
  const { store, directory, engine, onDelayed } = context;

  return managed(context, 'security_group', {
    ...store.securityGroups,
    async shown(caller, found): Promise<SecurityGroupResource[]> {
      const [users, names] = await Promise.all([
        store.securityGroups.usersOf(found.map(({ _id }) => _id)),
        namesFor(directory, caller, found),
      ]);
      return found.map((group) => ({
        id: group._id,
        name: group.name,
        ...ownership(group),
        ...names(group),
        rules: group.rules,
        ...users(group._id),
        created_at: iso(group.created_at),
      }));
    },
    make: async (caller, { rules = [] }: CreateSecurityGroup) => {
      await refuseRules(context, caller, rules);
      return (base): SecurityGroup => ({ ...base, rules, revision: 1 });
    },
    editable: ({ name, rules }): SecurityGroupEdit => ({ name, rules }),
    async change(caller, { name, rules }, present, transaction) {
      const { _id: id, revision } = present;
      const changed = JSON.stringify(rules) !== JSON.stringify(present.rules);
      if (changed && id === defaultSecurityGroup)
        throw new Problem(
          'wrong_state',
          `${called(present)} lets everything pass: NICs that name none are in it. Make another one.`,
        );
      await refuseRules(context, caller, rules, present.rules);
      return store.securityGroups.replace(
        id,
        { name, rules, revision: changed ? revision + 1 : revision },
        transaction,
      );
    },
    async remove(_caller, group, transaction) {
      if (group._id === defaultSecurityGroup)
        throw new Problem('wrong_state', `${called(group)} is always there: NICs that name none are in it.`);
      // Whoever names one writes it, which this transaction does, too.
      await store.securityGroups.remove(group._id, transaction);
      refuseUsed(group, (await store.securityGroups.usersOf([group._id], transaction))(group._id));
    },
    // Hosts that have NICs of it are told at once, and those that do not answer at each tick until they have it.
    changed: () => engine.monitorNow().catch((error: unknown) => onDelayed('hosts hear of it at the next tick', error)),
  });
};

const called = ({ _id, name }: Pick<SecurityGroup, '_id' | 'name'>): string => `Security group ${_id} (${name})`;

function refuseUsed(group: SecurityGroup, { vms, networks }: GroupUsers): void {
  if (vms.length + networks.length === 0) return;
  const named = [...networks.map((id) => `virtual network ${id}`), ...vms.map((id) => `VM ${id}`)];
  const [some, more] = [named.slice(0, mostNamed), named.length > mostNamed ? ['others'] : []];
  throw new Problem(
    'in_use',
    `${called(group)} is in use, by ${listed([...some, ...more])}. Detach their NICs, and take it from the networks first.`,
  );
}

/** Whoever names a network in a rule may USE it; a span of addresses is one that there is. `before`: those of which all that was asked. */
async function refuseRules(
  { store }: OperationsContext,
  caller: Caller,
  rules: readonly SecurityRule[],
  before: readonly SecurityRule[] = [],
): Promise<void> {
  const findings: Finding[] = [];
  const networks = new Set(before.map(({ network_id }) => network_id));
  const spans = new Set(before.map(({ ip, size }) => `${ip} ${size}`));
  for (const [at, rule] of rules.entries()) {
    const { ip, size = 1 } = rule;
    const there = ip === undefined || spans.has(`${ip} ${rule.size}`) ? size : addressesLeft(ip);
    if (size > there)
      findings.push({
        pointer: `/rules/${at}/size`,
        detail: `goes beyond the last address: from ${ip} on there ${there === 1 ? 'is 1' : `are ${there}`}`,
      });
    if (rule.network_id === undefined || networks.has(rule.network_id)) continue;
    const network = await store.networks.find(rule.network_id);
    if (!network || !allowed(caller, subjectOf('network', network), 'use'))
      findings.push({
        pointer: `/rules/${at}/network_id`,
        detail: `there is no virtual network ${rule.network_id} that you may USE`,
      });
  }
  if (findings.length > 0)
    throw new Problem('invalid_request', 'The security group cannot be like that.', { findings });
}
