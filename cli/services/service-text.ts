import type { ServiceResource } from '../../schemas/services/service.js';
import { permissionsText } from '../identity/ownership.js';
import type { Context } from '../shell/command.js';
import { pairs, tableOf } from '../shell/output.js';
import { stateText } from '../shell/state-colour.js';
import { stateOf } from '../vms/vm.js';

type Role = ServiceResource['roles'][number];

/** A service as `oneflow show` prints it: header, permissions, each role with its nodes, the log. */
export function serviceText(service: ServiceResource, _context: Context): string {
  return [
    `SERVICE ${service.id} INFORMATION`,
    pairs([
      ['ID', String(service.id)],
      ['NAME', service.name],
      ['USER', service.uname],
      ['GROUP', service.gname],
      ['STRATEGY', service.deployment],
      ['SERVICE STATE', service.state],
      ['READY GATE', service.ready_status_gate ? 'yes' : null],
      ['SHUTDOWN', service.shutdown_action],
      ['OPERATION', service.operation],
    ]),
    '',
    permissionsText(service),
    ...service.roles.map((role) => `\n${roleText(role)}`),
    '',
    'LOG MESSAGES',
    ...service.log.map(({ timestamp, severity, message }) => `${dateText(timestamp)} [${severity}] ${message}`),
  ].join('\n');
}

const roleText = (role: Role): string =>
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
    nodesText(role.nodes),
  ].join('\n');

/** The columns READY and REASON appear only where they say something. */
function nodesText(nodes: Role['nodes']): string {
  const table = tableOf(
    [
      { title: 'VM_ID', text: ({ vm_id }) => String(vm_id), right: true },
      { title: 'NAME', text: ({ name }) => name },
      { title: 'STATE', text: stateOf, colour: stateText },
      ...(nodes.some(({ ready }) => ready)
        ? [{ title: 'READY', text: ({ ready }: Role['nodes'][number]) => (ready ? 'yes' : 'no') }]
        : []),
      { title: 'HOST', text: ({ host }) => host ?? '-' },
      ...(nodes.some(({ reason }) => reason !== null)
        ? [{ title: 'REASON', text: ({ reason }: Role['nodes'][number]) => reason ?? '' }]
        : []),
    ],
    nodes,
  );
  return table.replaceAll(/^/gm, ' ');
}

/** `2026-11-22 14:44`, in UTC as everything that Arcus says. */
const dateText = (timestamp: string): string => timestamp.slice(0, 16).replace('T', ' ');
