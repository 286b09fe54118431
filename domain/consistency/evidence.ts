import type { Capacity } from '../../schemas/common/capacity.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { FindingCode } from '../../schemas/consistency/consistency.js';
import type { ZombieReason } from '../../schemas/hosts/strays.js';
import type { QuotaHolder } from '../../schemas/identity/quota.js';
import type { LeaseHolder, LeasePlace } from '../../schemas/networks/lease.js';
import type { OperationState } from '../../schemas/operations/operation.js';
import type { ServiceState } from '../../schemas/services/service.js';
import type { Hold, Vm } from '../../schemas/vms/vm.js';
import type { QuotaBalance } from '../identity/quotas.js';
import type { ImageEvidence } from './image-evidence.js';
import type { MarketEvidence } from './market-evidence.js';

type ServiceSeen = { service: number; state: ServiceState; epoch: number };
type RoleSeen = ServiceSeen & { role: string };
type VmSeen = { vm: number } & Pick<Vm, 'state' | 'lcm_state' | 'epoch' | 'hold'>;
type Owner = { uid: number; gid: number };
/** So many operations on a resource, the first of them, and what it and they should have. */
export type StrayOperations = { operations: number; first: string; should: Ownership };
/** `epoch` is the highest that the host has heard of for the VM; `host` the id, `name` what its hypervisor knows it by. */
type DomainSeen = { host: number; name: string; vm: number; epoch: number };

type OfBytes = ImageEvidence & MarketEvidence;

/**
 * What was seen of each flaw: enough to tell it from the next one of its kind, and all that its repair filters on. Two
 * looks that saw the same flaw saw the same evidence.
 */
export type Evidence = OfBytes & {
  service_abandoned: ServiceSeen & { operation: string | null; wanted: string | null };
  service_operation_stale: { service: number; op: string };
  service_wanted_stale: { service: number; op: string };
  service_hold_stale: { service: number; role: string; op: string; epoch: number };
  service_done_with_vms: ServiceSeen & { vms: number };
  service_operation_owner_differs: { service: number } & StrayOperations;
  service_network_missing: { service: number; network: number; name: string };
  role_operation_stale: { service: number; role: string; op: string };
  role_state_wrong: RoleSeen & { is: ServiceState; becomes: ServiceState };
  role_incomplete: RoleSeen & { running: number; present: number; cardinality: number };
  role_surplus: RoleSeen & { present: number; cardinality: number };
  role_number_twice: { service: number; role: string };
  vm_abandoned: VmSeen;
  vm_operation_stale: { vm: number; op: string };
  vm_wanted_stale: { vm: number; op: string };
  vm_hold_stale: { vm: number; hold: Hold };
  vm_waits_for_nothing: { vm: number; epoch: number };
  vm_without_service: { vm: number; service: number; role: string; lacks: 'service' | 'role' };
  vm_owner_differs: { vm: number; service: number; is: Owner; should: Owner };
  vm_operation_owner_differs: { vm: number } & StrayOperations;
  vm_without_host: { vm: number; epoch: number; host: number | null };
  vm_done_on_host: { vm: number; stay: number };
  vm_not_reserved: VmSeen & { host: number; capacity: Capacity };
  /** `lease`: the key of the address; `nic`: for which it is had. */
  vm_lease_stale: { vm: number; nic: number; network: number; lease: number; is: 'DONE' | 'other' };
  nic_lease_missing: VmSeen & { nic: number; place: LeasePlace };
  nic_lease_taken: { vm: number; nic: number; place: LeasePlace; holder: LeaseHolder };
  reservation_orphaned: {
    host: number;
    vm: number;
    capacity: Capacity;
    is: 'missing' | 'elsewhere' | Vm['state'];
    epoch: number | null;
  };
  reservation_differs: { host: number; vm: number; capacity: Capacity; should: Capacity };
  host_operation_stale: { host: number; op: string };
  host_sums_wrong: { host: number; used: Capacity; vm_count: number; sum: Capacity; count: number };
  host_overcommitted: { host: number; used: Capacity; total: Capacity };
  host_unreachable: { host: number; name: string; error: string };
  domain_orphaned: DomainSeen & { is: Vm['state'] };
  domain_doubtful: DomainSeen & { why: Exclude<ZombieReason, 'not_imported'> | 'many' };
  domain_elsewhere: DomainSeen & { at: string; vmEpoch: number };
  domain_missing: VmSeen & { host: number; name: string };
  domain_stopped: VmSeen & { host: number; name: string; domain: 'stopped' | 'failed' };
  domain_older: VmSeen & { host: number; name: string; domain: number };
  domain_newer: VmSeen & { host: number; name: string; domain: number };
  operation_without_run: { op: string; state: OperationState; run: string | null; reason: string };
  operation_forgotten: { op: string; state: OperationState; resource: string };
  run_without_operation: { workflowId: string; firstRunId: string; op: string | null; state: OperationState | null };
  counter_behind: { pool: string; next: number; highest: number };
  lease_orphaned: LeasePlace & { lease: number; holder: Exclude<LeaseHolder, { type: 'hold' }> };
  network_without_service: { network: number; service: number };
  quota_drift: QuotaBalance;
  owner_missing: { holder: QuotaHolder; owns: string };
};

/** Something that does not fit, and what was seen of it. */
export type Flaw<C extends FindingCode = FindingCode> = { [K in C]: { code: K; seen: Evidence[K] } }[C];

export const flaw = <C extends FindingCode>(code: C, seen: Evidence[C]): { code: C; seen: Evidence[C] } => ({
  code,
  seen,
});

/** Whether two looks saw the same. */
export const isSame = (one: Flaw, other: Flaw): boolean => JSON.stringify(one) === JSON.stringify(other);
