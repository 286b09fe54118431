import { readsAsId } from '../reads-as-id.js';

const longest = 128;

export type VmNameParts = { serviceId: number; serviceName: string; roleName: string; vmNumber: number };

/**
 * The name of a VM of a service from OneFlow's `vm_name_template`. Placeholders are replaced as plain text in OneFlow's
 * order, so that a service name which holds `$ROLE_NAME` is expanded too; cut at 128 characters, the limit for names. What
 * would be digits alone, and read as the id of another VM, has `vm_` before it.
 */
export function vmName(pattern: string, names: VmNameParts): string {
  const replacements = [
    ['$SERVICE_ID', String(names.serviceId)],
    ['$SERVICE_NAME', names.serviceName],
    ['$ROLE_NAME', names.roleName],
    ['$VM_NUMBER', String(names.vmNumber)],
  ] as const;
  // A replacement given as a function keeps `$&` and `$1` in a service's name from being read as patterns.
  const name = replacements.reduce((text, [placeholder, value]) => text.replaceAll(placeholder, () => value), pattern);
  // Cut before it is looked at: what is left may be digits alone.
  const whole = cut(name);
  return readsAsId(whole) ? cut(`vm_${whole}`) : whole;
}

const cut = (name: string): string => name.slice(0, longest).replace(/[\uD800-\uDBFF]$/, '');
