import { HypervisorKind } from '../../schemas/hosts/host.js';
import type { VmAction } from '../../schemas/operations/vm-action.js';
import type { VmActionName } from '../../schemas/vms/vm-actions.js';

/** What hypervisors of a kind cannot do: it is refused before anything is done for it. Their adapters say the same of their calls (test/domain/vms/unable). */
const unable: Readonly<Record<HypervisorKind, readonly VmActionName[]>> = {
  simulated: [],
  libvirt: ['migrate'],
};

/** `kind`: as it stands in the history of a VM. */
export const isUnable = (kind: string, action: VmActionName | VmAction): boolean =>
  HypervisorKind.options.some((known) => known === kind && unable[known].some((one) => one === action));
