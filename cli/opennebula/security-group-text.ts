import type { SecurityGroupResource } from '../../schemas/networks/security-group.js';
import { fact, row, templateText } from './columns.js';
import { permissionsOf } from './one-program.js';

// `onesecgroup` of OpenNebula 5.0.

/** `onesecgroup list`. */
export const securityGroupList = (groups: readonly SecurityGroupResource[]): string =>
  [
    row(['ID', -4], ['USER', 12], ['GROUP', 12], ['NAME', 20]),
    ...groups.map((group) => row([String(group.id), -4], [group.uname, 12], [group.gname, 12], [group.name, 20])),
  ].join('\n');

type Rule = SecurityGroupResource['rules'][number];

const networkOf = ({ ip, size, network_id }: Rule): string =>
  network_id !== undefined ? `VNet ${network_id}` : ip === undefined ? 'Any' : `Start: ${ip}, Size: ${size ?? 1}`;

/** A rule as template text has it. */
const attributesOf = (rule: Rule): Record<string, string> =>
  Object.fromEntries(
    Object.entries(rule).flatMap(([name, value]) => (value === undefined ? [] : [[name.toUpperCase(), String(value)]])),
  );

/** `onesecgroup show`. */
export const securityGroupText = (group: SecurityGroupResource): string =>
  [
    `SECURITY GROUP ${group.id} INFORMATION`,
    ...(
      [
        ['ID', group.id],
        ['NAME', group.name],
        ['USER', group.uname],
        ['GROUP', group.gname],
      ] as const
    ).flatMap(([name, value]) => fact(name, value, 15)),
    '',
    ...permissionsOf(group.permissions),
    '',
    'RULES',
    row(['TYPE', 8], ['PROTOCOL', 8], ['ICMP_TYPE', 11], ['NETWORK', 28], ['RANGE', 20]),
    ...group.rules.map((rule) =>
      row(
        [rule.rule_type, 8],
        [rule.protocol, 8],
        [rule.icmp_type === undefined ? '' : String(rule.icmp_type), 11],
        [networkOf(rule), 28],
        [rule.range ?? 'All', 20],
      ),
    ),
    '',
    'TEMPLATE CONTENTS',
    ...templateText({ RULE: group.rules.map(attributesOf) }),
    '',
    'VIRTUAL MACHINES',
    ...group.vms.map(String),
  ].join('\n');
