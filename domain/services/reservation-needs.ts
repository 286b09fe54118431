import { grouped } from '../../schemas/common/limits.js';
import type { ServiceNetwork } from '../../schemas/services/service-network.js';
import type { Finding } from '../problems.js';
import { parseTemplateText } from '../template-text.js';
import { listOf, textOf } from '../vms/template-values.js';
import { listed } from '../words.js';

type NeedingRole = { name: string; cardinality: number; vm_template_contents?: string | undefined };

/** How many NICs each VM of a role has on networks, by their ids. */
function nicsOn({ vm_template_contents = '' }: NeedingRole): Map<string, number> {
  const read = parseTemplateText(vm_template_contents);
  const count = new Map<string, number>();
  for (const { NETWORK_ID } of read.ok ? listOf(read.value.NIC) : []) {
    const id = textOf(NETWORK_ID);
    if (id !== undefined) count.set(id, (count.get(id) ?? 0) + 1);
  }
  return count;
}

/**
 * Which networks that are to be made of addresses of others are too small for the VMs that roles begin with. `roles`: as they are filled in, with the ids of networks;
 * `pointers`: where each network was asked for.
 */
export function tooSmall(
  networks: readonly ServiceNetwork[],
  roles: readonly NeedingRole[],
  pointers: ReadonlyMap<string, string>,
): Finding[] {
  const reserved = networks.flatMap(({ name, id, reserved: its }) => (its ? [{ name, id, size: its.size }] : []));
  if (reserved.length === 0) return [];
  const needs = roles.map((role) => ({ role, nics: nicsOn(role) }));
  return reserved.flatMap(({ name, id, size }): Finding[] => {
    const on = needs.flatMap(({ role, nics }) => {
      const addresses = (nics.get(String(id)) ?? 0) * role.cardinality;
      return addresses > 0 ? [{ role: role.name, addresses }] : [];
    });
    const needed = on.reduce((sum, { addresses }) => sum + addresses, 0);
    if (needed <= size) return [];
    const named = on.slice(0, mostNamed).map(({ role }) => role);
    const who = listed([...named, ...(on.length > mostNamed ? ['others'] : [])]);
    return [
      {
        pointer: pointers.get(name) ?? '/networks',
        detail: `reserves ${grouped(size)} addresses, and the VMs that role${on.length === 1 ? '' : 's'} ${who} begin${on.length === 1 ? 's' : ''} with need ${grouped(needed)}`,
      },
    ];
  });
}

/** Roles that a refusal names. */
const mostNamed = 10;
