import Table from 'cli-table3';
import type { ServiceResource } from '../../schemas/services/service.js';
import { colours } from './colours.js';

const barWidth = 24;

const colour = (state: string): ((text: string) => string) => {
  if (state.startsWith('FAILED') || state.endsWith('FAILURE')) return colours.red;
  if (state === 'RUNNING') return colours.green;
  return state === 'PENDING' ? colours.dim : colours.yellow;
};

type Role = ServiceResource['roles'][number];

const running = (role: Role): number => role.nodes.filter((node) => node.lcm_state === 'RUNNING').length;

/** One line for each role: how many of its VMs run. */
export function roleLines({ roles }: ServiceResource): string[] {
  const width = Math.max(...roles.map((role) => role.name.length));
  return roles.map((role) => {
    const filled = role.cardinality === 0 ? barWidth : Math.round((running(role) / role.cardinality) * barWidth);
    const bar = `${colours.green('█'.repeat(filled))}${colours.dim('·'.repeat(barWidth - filled))}`;
    const count = `${running(role)}/${role.cardinality}`.padStart(6);
    return `  ${role.name.padEnd(width)} ${bar} ${count}  ${colour(role.state)(role.state)}`;
  });
}

/** The same without bars and colours, in one line, for logs. */
export const plainLine = ({ name, state, roles }: ServiceResource): string =>
  `${name} is ${state}: ${roles.map((role) => `${role.name} ${running(role)}/${role.cardinality}`).join(', ')}`;

/** A service with all its VMs. */
export function serviceTable(service: ServiceResource): string {
  const table = new Table({
    head: ['ROLE', 'STATE', 'VM', 'NAME', 'VM STATE', 'HOST'],
    style: { head: [], border: [], compact: true },
  });
  for (const role of service.roles)
    for (const [index, node] of role.nodes.entries())
      table.push([
        index === 0 ? role.name : '',
        index === 0 ? colour(role.state)(role.state) : '',
        node.vm_id,
        node.name,
        colour(node.lcm_state)(node.state === 'ACTIVE' ? node.lcm_state : node.state),
        node.host ?? '-',
      ]);
  return table.toString();
}
