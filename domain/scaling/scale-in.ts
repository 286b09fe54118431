import type { Role } from '../../schemas/services/service.js';
import { type Finding, Problem } from '../problems.js';
import { belongs } from '../services/service-health.js';
import { isProtected } from '../vms/ready.js';
import type { StaffedVm } from './staffing.js';

type Wish = { cardinality: number; force: boolean; vms?: readonly number[] };

/**
 * Whether so many VMs of a role can go, and those that are named among them; null: they can. Protected ones go by hand alone:
 * named, and by force. `vms`: those of the role that are not DONE.
 */
export function whyNoneGo(
  { name, cardinality: from }: Pick<Role, 'name' | 'cardinality'>,
  vms: readonly StaffedVm[],
  { cardinality: to, force, vms: named = [] }: Wish,
): Problem | null {
  const own = vms.filter(belongs);
  const ids = new Set(named);
  const isOurs = (id: number): boolean => own.some((vm) => vm._id === id);
  const areProtected = new Set(own.filter((vm) => isProtected(vm.user_template)).map(({ _id }) => _id));
  const going = Math.max(0, from - to);
  const findings: Finding[] = [...ids].flatMap((id, at) =>
    isOurs(id)
      ? areProtected.has(id) && !force
        ? [{ pointer: `/vms/${at}`, detail: `VM ${id} is protected: use force to have it go all the same.` }]
        : []
      : [{ pointer: `/vms/${at}`, detail: `VM ${id} is none of role ${name}, or is on its way out.` }],
  );
  if (ids.size > going)
    findings.push({
      pointer: '/vms',
      detail: `names ${ids.size} VMs to go, and from ${from} to ${to} ${going === 1 ? 'one goes' : `${going} go`}.`,
    });
  const staying = [...areProtected].filter((id) => !ids.has(id)).length;
  if (findings.length === 0 && to < from && staying > to)
    findings.push({
      pointer: '/cardinality',
      detail: `is ${to}, and ${staying} VMs of role ${name} are protected. Name in \`vms\` those that are to go all the same, with force.`,
    });
  return findings.length > 0
    ? new Problem('invalid_request', 'The role cannot be made smaller so.', { findings })
    : null;
}
