import type { ServiceResource } from '../../schemas/services/service.js';
import { permissionsText } from '../identity/ownership.js';
import type { Context } from '../shell/command.js';
import { ageOf, dateText, pairs, tableOf } from '../shell/output.js';
import { stateText } from '../shell/state-colour.js';
import { stateOf } from '../vms/vm.js';
import { elasticityText } from './elasticity-text.js';
import { schedulesTable } from './schedules-text.js';

type Role = ServiceResource['roles'][number];
type Node = Role['nodes'][number];

/** A service as `oneflow show` prints it: header, permissions, each role with its nodes, the log. */
export function serviceText(service: ServiceResource, { now }: Context): string {
  return [
    `SERVICE ${service.id} INFORMATION`,
    pairs([
      ['ID', String(service.id)],
      ['NAME', service.name],
      ['USER', service.uname],
      ['GROUP', service.gname],
      ['TEMPLATE', templateText(service)],
      ['STRATEGY', service.deployment],
      ['SERVICE STATE', service.state],
      ['READY GATE', service.ready_status_gate ? 'yes' : null],
      ['SHUTDOWN', service.shutdown_action],
      ['OPERATION', service.operation],
    ]),
    '',
    permissionsText(service),
    ...networksText(service),
    ...service.roles.map((role) => `\n${roleText(role, now().getTime())}`),
    '',
    'LOG MESSAGES',
    ...service.log.map(({ timestamp, severity, message }) => `${dateText(timestamp)} [${severity}] ${message}`),
  ].join('\n');
}

/** What its template asks for, where it asks for any. */
const networksText = ({ virtual_networks: networks }: ServiceResource): string[] =>
  networks.length === 0
    ? []
    : [
        '',
        'NETWORKS',
        indented(
          tableOf(
            [
              { title: 'NAME', text: ({ name }) => name },
              { title: 'NETWORK', text: ({ network_id, made }) => (made ? String(network_id) : '-'), right: true },
              {
                title: 'MADE OF',
                text: ({ size, reserved_from: from, template_id }) =>
                  template_id !== null ? `template ${template_id}` : from === null ? '-' : `${size} of network ${from}`,
              },
            ],
            networks,
          ),
        ),
      ];

/** Of which template it is, and of which of its revisions. */
const templateText = ({ template_id, template_revision }: ServiceResource): string =>
  `${template_id}${template_revision === null ? '' : `, revision ${template_revision}`}`;

const roleText = (role: Role, now: number): string =>
  [
    `ROLE ${role.name}`,
    pairs([
      ['ROLE STATE', role.state],
      ['REASON', role.reason],
      ['PARENTS', role.parents.length > 0 ? role.parents.join(', ') : null],
      ['CARDINALITY', String(role.cardinality)],
      ['MIN VMS', role.min_vms === undefined ? null : String(role.min_vms)],
      ['MAX VMS', role.max_vms === undefined ? null : String(role.max_vms)],
      ['COOLDOWN UNTIL', role.state === 'COOLDOWN' ? role.cooldown_until : null],
      ['OPERATION', role.operation],
      ['VM TEMPLATE', String(role.vm_template)],
    ]),
    'NODES INFORMATION',
    nodesText(role, now),
    ...(role.elasticity_policies?.length
      ? ['ELASTICITY RULES', indented(elasticityText(role.elasticity_policies, now))]
      : []),
    ...(role.scheduled_policies?.length ? ['SCHEDULES', indented(schedulesTable(role.scheduled_policies, now))] : []),
  ].join('\n');

/** The columns READY, REASON and those of what VMs use appear only where they say something. Arrows stand at VMs that a scaling makes or removes, as in OneFlow. */
function nodesText({ nodes, state }: Role, now: number): string {
  const told = nodes.some(({ monitoring }) => monitoring !== null);
  const table = tableOf(
    [
      { title: 'VM_ID', text: (node) => `${state === 'SCALING' ? arrowOf(node) : ''}${node.vm_id}`, right: true },
      { title: 'NAME', text: ({ name }) => name },
      { title: 'STATE', text: stateOf, colour: stateText },
      ...(nodes.some(({ ready }) => ready)
        ? [{ title: 'READY', text: ({ ready }: Node) => (ready ? 'yes' : 'no') }]
        : []),
      ...(told
        ? [
            { title: 'UCPU', text: ({ monitoring }: Node) => String(monitoring?.cpu ?? '-'), right: true },
            { title: 'UMEM', text: ({ monitoring }: Node) => kilobytesText(monitoring?.memory), right: true },
          ]
        : []),
      { title: 'HOST', text: ({ host }) => host ?? '-' },
      ...(told
        ? [{ title: 'TIME', text: ({ created_at }: Node) => ageOf(created_at, null, new Date(now)), right: true }]
        : []),
      ...(nodes.some(({ reason }) => reason !== null)
        ? [{ title: 'REASON', text: ({ reason }: Node) => reason ?? '' }]
        : []),
    ],
    nodes,
  );
  return indented(table);
}

const indented = (table: string): string => table.replaceAll(/^/gm, ' ');

/** Of a role that is scaled: which VMs come, and which go. */
function arrowOf({ state, lcm_state }: Node): string {
  if (lcm_state === 'SHUTDOWN' || lcm_state === 'EPILOG') return '↓ ';
  return state === 'PENDING' || coming.has(lcm_state) ? '↑ ' : '';
}

/** Those that are switched off, or that nobody hears of, neither come nor go. */
const coming: ReadonlySet<Node['lcm_state']> = new Set(['PROLOG', 'BOOT', 'PROLOG_FAILURE', 'BOOT_FAILURE']);

/** `120.3M`, as OpenNebula says it. */
const kilobytesText = (kilobytes: number | undefined): string =>
  kilobytes === undefined ? '-' : kilobytes < 1_024 ? `${kilobytes}K` : `${(kilobytes / 1_024).toFixed(1)}M`;
