import type { Capacity } from '../../schemas/common/capacity.js';
import type { Attributes } from '../../schemas/hosts/cluster.js';
import type { HostState } from '../../schemas/hosts/host.js';
import type { AttributeValue } from '../expressions/syntax.js';
import { isSecret } from './host-secrets.js';

/** A host as expressions see it. `free` and `vms` are as they are now. */
export type DescribedHost = {
  id: number;
  name: string;
  state: HostState;
  vm_mad?: string;
  cluster?: { id: number; name: string };
  /** Its cluster's attributes with its own over them. */
  attributes?: Attributes;
  total: Capacity;
  free: Capacity;
  vms: number;
};

type AttributeOfHost = (host: DescribedHost) => AttributeValue;

const kilobytes = (megabytes: number): number => megabytes * 1024;
const freeCpu: AttributeOfHost = ({ free }) => free.cpu;
const freeMemory: AttributeOfHost = ({ free }) => kilobytes(free.memory);
const usedCpu: AttributeOfHost = ({ total, free }) => total.cpu - free.cpu;
const usedMemory: AttributeOfHost = ({ total, free }) => kilobytes(total.memory - free.memory);
const totalCpu: AttributeOfHost = ({ total }) => total.cpu;
const totalMemory: AttributeOfHost = ({ total }) => kilobytes(total.memory);

/** What changes with each VM that is placed. */
const moving: Readonly<Record<string, AttributeOfHost>> = {
  FREE_CPU: freeCpu,
  FREECPU: freeCpu,
  FREE_MEMORY: freeMemory,
  FREE_MEM: freeMemory,
  FREEMEMORY: freeMemory,
  USED_CPU: usedCpu,
  USEDCPU: usedCpu,
  CPU_USAGE: usedCpu,
  USED_MEMORY: usedMemory,
  USED_MEM: usedMemory,
  USEDMEMORY: usedMemory,
  MEM_USAGE: usedMemory,
  RUNNING_VMS: ({ vms }) => vms,
};

const standing: Readonly<Record<string, AttributeOfHost>> = {
  ID: ({ id }) => id,
  HOST_ID: ({ id }) => id,
  NAME: ({ name }) => name,
  HOSTNAME: ({ name }) => name,
  STATE: ({ state }) => state,
  CLUSTER_ID: ({ cluster }) => cluster?.id ?? 0,
  'CLUSTERS/ID': ({ cluster }) => [cluster?.id ?? 0],
  CLUSTER: ({ cluster }) => cluster?.name ?? 'default',
  VM_MAD: ({ vm_mad }) => vm_mad ?? '',
  MAX_CPU: totalCpu,
  TOTAL_CPU: totalCpu,
  TOTALCPU: totalCpu,
  MAX_MEM: totalMemory,
  MAX_MEMORY: totalMemory,
  TOTAL_MEMORY: totalMemory,
  TOTALMEMORY: totalMemory,
};

/** Names that Arcus tells itself: nobody else may give them. CPU is in hundredths of a core, memory in KB, as in OpenNebula. */
export const toldNames: readonly string[] = [...Object.keys(standing), ...Object.keys(moving)];

/** OpenNebula's paths name where in its XML an attribute is; here there is one place. */
const canonical = (name: string): string =>
  name.replace(/^\/?(HOST\/)?(TEMPLATE\/|HOST_SHARE\/|CLUSTER_TEMPLATE\/)?/i, '').toUpperCase();

/** Whose values everybody may know who makes VMs: what Arcus tells itself, but for names. */
const nameless = new Set(['NAME', 'HOSTNAME', 'CLUSTER']);
export function isPublic(name: string): boolean {
  const wanted = canonical(name);
  return wanted === 'HYPERVISOR' || (toldNames.includes(wanted) && !nameless.has(wanted));
}

/** An attribute of a host, or undefined: it has none, or it is secret. HYPERVISOR is the driver's name unless the operator says otherwise. */
export function attributeOf(host: DescribedHost, name: string): AttributeValue | undefined {
  const wanted = canonical(name);
  const told = own(standing, wanted) ?? own(moving, wanted);
  if (told) return told(host);
  if (isSecret(wanted, host.attributes)) return undefined;
  return own(host.attributes ?? {}, wanted) ?? (wanted === 'HYPERVISOR' ? host.vm_mad : undefined);
}

/** Whether the attribute changes with each VM that is placed. */
export const isMoving = (name: string): boolean => Object.hasOwn(moving, canonical(name));

const own = <T>(of: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(of, name) ? of[name] : undefined;
