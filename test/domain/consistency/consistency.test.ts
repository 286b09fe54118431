import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Flaw, isSame } from '../../../domain/consistency/evidence.js';
import { flaws, keyOf, placeOf, told } from '../../../domain/consistency/flaws.js';
import type { SeenService, SeenVm } from '../../../domain/consistency/hands.js';
import { judgeHosts, type SeenDomain, type SeenHost } from '../../../domain/consistency/judge-hosts.js';
import { judgeHolders, judgeNics, type SeenLease } from '../../../domain/consistency/judge-leases.js';
import type { SeenOperations } from '../../../domain/consistency/judge-operation-owners.js';
import { judgeCounters, judgeOperations, judgeRuns } from '../../../domain/consistency/judge-operations.js';
import { judgeOwners, type SeenOwner } from '../../../domain/consistency/judge-owners.js';
import { judgeQuotas } from '../../../domain/consistency/judge-quotas.js';
import {
  judgeKeptNetworks,
  judgeMadeNetworks,
  type SeenNetworks,
} from '../../../domain/consistency/judge-service-networks.js';
import { judgeServices, type RoleCount } from '../../../domain/consistency/judge-services.js';
import { judgeVms } from '../../../domain/consistency/judge-vms.js';
import { permissionsOf } from '../../../domain/identity/permission-bits.js';
import { leaseKey } from '../../../domain/networks/lease-key.js';
import { storedVmState, type VmStateName, vmStateNames } from '../../../domain/vms/vm-states.js';
import { FindingCode } from '../../../schemas/consistency/consistency.js';
import type { LeaseHolder } from '../../../schemas/networks/lease.js';
import { OperationState } from '../../../schemas/operations/operation.js';
import type { Nic } from '../../../schemas/operations/vm-devices.js';
import { ServiceState } from '../../../schemas/services/service.js';
import type { DeviceChanging, HistoryRecord } from '../../../schemas/vms/vm.js';
import { imageCases } from './image-cases.js';
import { marketCases } from './market-cases.js';

const now = new Date('2026-11-23T12:00:00Z');
const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1_000);
const size = { cpu: 50, memory: 256 };
const stay = (hid: number, over: Partial<HistoryRecord> = {}): HistoryRecord => ({
  ...{ seq: 0, hid, hostname: `host-${hid}`, vm_mad: 'simulated', epoch: 1 },
  ...{ stime: now, etime: null, reason: 'none', ...over },
});

const operations = new Map(OperationState.options.map((state) => [state, { state }] as const));
const atWork: OperationState[] = ['accepted', 'running'];
const parked: OperationState[] = ['waiting', 'waiting_for_you'];

const mine = { uid: 2, gid: 1, permissions: permissionsOf('640') };
/** Operations that are as what they are about, but for what is said. */
const alike = (over: Partial<SeenOperations> = {}): SeenOperations => ({ ...mine, count: 2, first: 'b', ...over });

/** A VM in a state, on host 1 unless it is nowhere. Operations are called by their states; `lost` is none. */
const vm = (name: VmStateName, over: Partial<SeenVm> = {}): SeenVm => ({
  ...{
    _id: 7,
    ...mine,
    ...storedVmState(name),
    epoch: 2,
    hold: null,
    operation: null,
    wanted: null,
    service: null,
  },
  ...{ capacity: size, history: name === 'PENDING' ? [] : [stay(1, name === 'DONE' ? { etime: now } : {})], ...over },
});
const heldBy = (op: string) => ({ op, epoch: 2, attempt: 1 });

const role = (name: string, state: ServiceState, cardinality = 2): SeenService['roles'][number] => ({
  name,
  state,
  cardinality,
});
const service = (state: ServiceState, over: Partial<SeenService> = {}): SeenService => ({
  ...{ _id: 3, ...mine, state, epoch: 4, operation: null, wanted: null, holds: {} },
  ...{ roles: [role('web', state === 'FAILED_UNDEPLOYING' ? 'RUNNING' : state)], ...over },
});

const ofVm = (
  seen: SeenVm,
  services: SeenService[] = [],
  reserved: readonly number[] = [7],
  operationsOn: SeenOperations[] = [],
  unfinished: readonly number[] = [],
) =>
  judgeVms([seen], {
    unfinished: new Set(unfinished),
    operations,
    services: new Map(services.map((one) => [one._id, one])),
    reserved: new Map([[1, new Set(reserved)]]),
    operationsOn: new Map([[7, operationsOn]]),
  });
const ofHost = (over: Partial<SeenHost>, vms: SeenVm[], services: SeenService[] = []) => {
  const books = over.vms ?? { 7: size };
  const sum = Object.values(books).reduce(
    (all, { cpu, memory }) => ({ cpu: all.cpu + cpu, memory: all.memory + memory }),
    { cpu: 0, memory: 0 },
  );
  return judgeHosts(
    [
      {
        _id: 1,
        name: 'host-1',
        total: { cpu: 1_000, memory: 10_000 },
        used: sum,
        vm_count: Object.keys(books).length,
        vms: books,
        heard: { domains: [] },
        ...over,
      },
    ],
    {
      operations,
      services: new Map(services.map((one) => [one._id, one])),
      vms: new Map(vms.map((one) => [one._id, one])),
    },
  );
};
/** An address of network 4 that a VM has, by default VM 7 with the NIC of this id. */
const lease = (nic: number, holder: LeaseHolder = { type: 'vm', id: 7, nic }): SeenLease => {
  const place = { network: 4, ar_id: 0, index: nic };
  return { _id: leaseKey(place), ...place, holder };
};
const networked = (made: boolean): SeenNetworks => ({
  _id: 3,
  networks: [
    { name: 'Public', id: 7 },
    { name: 'Own', id: 9, reserved: { from: 7, size: 2, made } },
  ],
});
const reserved = (index: number): SeenLease => ({ ...lease(index, { type: 'network', id: 5 }) });
const range = { ar_id: 0, type: 'IP4', mac: '02:00:0a:00:00:01', ip: '10.0.0.1' } as const;
/** Network 5 was made of the first three addresses of network 4. */
const networks = new Map([[5, [{ ...range, size: 3, from: { network: 4, ar_id: 0, first: 0 } }]]]);
const nicOn: Nic = {
  ...{ nic_id: 0, network: 'lan' },
  lease: {
    ...{ network: 4, ar_id: 0, index: 0, ip: null, ip6_link: null, ip6_global: null, ip6_ula: null },
    ...{ vn_mad: 'bridge', bridge: 'onebr4', phydev: null, vlan_id: null },
  },
};
const attaching: DeviceChanging = {
  ...{ op: 'failed', change: { action: 'nic-attach', nic: nicOn }, from: 'running', epoch: 2, open: true },
};
const wired = vm('ACTIVE/RUNNING', { nics: [nicOn] });
const ofNics = (seen: SeenVm, leases: readonly SeenLease[]) => {
  const isIts = ({ holder }: SeenLease) => holder.type === 'vm' && holder.id === seen._id;
  const had = new Map([[seen._id, leases.filter(isIts)]]);
  const at = new Map(leases.map(({ _id, holder }) => [_id, holder]));
  return judgeNics([seen], { operations, services: new Map(), had, at });
};
const count = (over: Partial<RoleCount> = {}): RoleCount => ({
  ...{ present: 2, running: 2, busy: 0, all: 2, numbers: 2, ...over },
});
const ofService = (
  seen: SeenService,
  counts: Record<string, RoleCount> = { web: count() },
  operationsOn: SeenOperations[] = [],
) =>
  judgeServices([seen], {
    operations,
    counts: new Map([[3, new Map(Object.entries(counts))]]),
    operationsOn: new Map([[3, operationsOn]]),
  });
const inRole = { service: { id: 3, role: 'web', ordinal: 0 } };

const domain = ({ epoch = 2, ...over }: Partial<SeenDomain> = {}): SeenDomain => ({
  ...{ vm: 7, epoch, heard: epoch, state: 'running' },
  ...over,
});
const heard = (...domains: SeenDomain[]) => ({ heard: { domains } });
const running = vm('ACTIVE/RUNNING');
const operation = (over: object) => ({
  ...{ _id: 'op', kind: 'deployService' as const, state: 'running' as OperationState, run_id: 'run-1' },
  ...{ resource: { type: 'service' as const, id: 3 }, created_at: secondsAgo(60), cancel_requested: null },
  ...{ run: null, isKnown: true, ...over },
});
const run = { op: 'op', firstRunId: 'run-1' };

const amounts = (vms: number) => ({ services: 0, vms, cpu: 100 * vms, memory: 64 * vms });
/** Of a user who is said to use so many VMs more than are charged. */
const balance = (id: number, more: number) => ({
  holder: { type: 'user', id } as const,
  used: amounts(1 + more),
  sum: amounts(1),
});

const owner = (id: number, exists: boolean, owns: string | null): SeenOwner => ({
  ...{ holder: { type: 'user', id }, exists, owns },
});

/** For each code, what is seen, and in which way it does not fit. */
const cases: [FindingCode, () => Flaw[]][] = [
  ...imageCases,
  ...marketCases,
  ['service_abandoned', () => ofService(service('DEPLOYING'))],
  ['service_abandoned', () => ofService(service('UNDEPLOYING', { operation: 'failed' }))],
  ['service_operation_stale', () => ofService(service('RUNNING', { operation: 'succeeded' }))],
  ['service_wanted_stale', () => ofService(service('RUNNING', { wanted: 'lost' }))],
  ['service_hold_stale', () => ofService(service('RUNNING', { holds: { web: { op: 'lost', epoch: 4 } } }))],
  ['service_abandoned', () => ofService(service('SCALING', { roles: [role('web', 'SCALING')] }))],
  [
    'role_operation_stale',
    () => ofService(service('RUNNING', { roles: [{ ...role('web', 'RUNNING'), operation: 'lost' }] })),
  ],
  ['role_state_wrong', () => ofService(service('COOLDOWN', { roles: [role('web', 'SCALING')] }))],
  ['service_done_with_vms', () => ofService(service('DONE'))],
  ['role_state_wrong', () => ofService(service('RUNNING', { roles: [role('web', 'DEPLOYING')] }))],
  ['role_state_wrong', () => ofService(service('FAILED_DEPLOYING', { roles: [role('web', 'DEPLOYING')] }))],
  ['role_state_wrong', () => ofService(service('DONE', { roles: [role('web', 'RUNNING')] }), {})],
  ['role_incomplete', () => ofService(service('RUNNING'), { web: count({ running: 1 }) })],
  [
    'role_incomplete',
    () => ofService(service('FAILED_DEPLOYING', { roles: [role('web', 'RUNNING')] }), { web: count({ running: 1 }) }),
  ],
  ['role_surplus', () => ofService(service('RUNNING'), { web: count({ present: 3 }) })],
  ['role_number_twice', () => ofService(service('RUNNING'), { web: count({ numbers: 1 }) })],
  ['vm_abandoned', () => ofVm(vm('ACTIVE/BOOT'))],
  ['vm_abandoned', () => ofVm(vm('ACTIVE/SHUTDOWN', { hold: heldBy('failed') }))],
  ['vm_operation_stale', () => ofVm(vm('ACTIVE/RUNNING', { operation: 'failed' }))],
  ['vm_wanted_stale', () => ofVm(vm('DONE', { wanted: 'lost' }))],
  ['vm_hold_stale', () => ofVm(vm('ACTIVE/RUNNING', { hold: heldBy('cancelled') }))],
  ['vm_waits_for_nothing', () => ofVm(vm('PENDING'))],
  ['vm_without_service', () => ofVm(vm('ACTIVE/RUNNING', { service: { id: 3, role: 'web', ordinal: 0 } }))],
  [
    'vm_without_service',
    () => ofVm(vm('ACTIVE/RUNNING', { service: { id: 3, role: 'db', ordinal: 0 } }), [service('RUNNING')]),
  ],
  ...[{ uid: 5 }, { gid: 5 }].map((other): [FindingCode, () => Flaw[]] => [
    'vm_owner_differs',
    () => ofVm(vm('ACTIVE/RUNNING', { ...inRole, ...other }), [service('RUNNING')]),
  ]),
  ['vm_owner_differs', () => ofVm(vm('DONE', { ...inRole, uid: 5 }), [service('RUNNING')])],
  ['vm_owner_differs', () => ofVm(vm('ACTIVE/RUNNING', { ...inRole, uid: 5 }), [service('RUNNING')], [7], [alike()])],
  ...[{ uid: 5 }, { gid: 5 }, { permissions: permissionsOf('644') }].flatMap((other): [FindingCode, () => Flaw[]][] => [
    ['vm_operation_owner_differs', () => ofVm(running, [], [7], [alike(), alike({ ...other, count: 1 })])],
    ['vm_operation_owner_differs', () => ofVm(vm('DONE'), [], [], [alike(other), alike({ uid: 6, first: 'a' })])],
    ['service_operation_owner_differs', () => ofService(service('RUNNING'), undefined, [alike(other), alike()])],
  ]),
  ['vm_without_host', () => ofVm(vm('ACTIVE/RUNNING', { history: [stay(1, { etime: now })] }))],
  ['vm_without_host', () => ofVm(vm('ACTIVE/RUNNING', { history: [stay(2)] }))],
  ['vm_done_on_host', () => ofVm(vm('DONE', { history: [stay(1)] }))],
  ['vm_not_reserved', () => ofVm(running, [], [])],
  ['reservation_orphaned', () => ofHost({}, [])],
  ['reservation_orphaned', () => ofHost({}, [vm('DONE')])],
  ['reservation_orphaned', () => ofHost({}, [vm('PENDING')])],
  ['reservation_orphaned', () => ofHost({}, [vm('ACTIVE/RUNNING', { history: [stay(2)] })])],
  ['reservation_differs', () => ofHost({ vms: { 7: { cpu: 60, memory: 256 } }, ...heard(domain()) }, [running])],
  ['host_operation_stale', () => ofHost({ operation: 'lost', ...heard(domain()) }, [running])],
  ['host_operation_stale', () => ofHost({ operation: 'failed', ...heard(domain()) }, [running])],
  ['host_sums_wrong', () => ofHost({ used: { cpu: 50, memory: 255 }, ...heard(domain()) }, [running])],
  ['host_sums_wrong', () => ofHost({ vm_count: 2, ...heard(domain()) }, [running])],
  ['host_overcommitted', () => ofHost({ total: { cpu: 40, memory: 256 }, ...heard(domain()) }, [running])],
  ['host_unreachable', () => ofHost({ heard: { error: 'no route' } }, [running])],
  ['domain_orphaned', () => ofHost({ vms: {}, ...heard(domain()) }, [vm('DONE')])],
  ['domain_doubtful', () => ofHost({ vms: {}, ...heard(domain()) }, [])],
  ['domain_doubtful', () => ofHost({ vms: {}, ...heard(domain({ epoch: 3 })) }, [vm('DONE')])],
  ['domain_doubtful', () => ofHost({ vms: {}, ...heard(domain()) }, [vm('PENDING')])],
  ['domain_doubtful', () => ofHost({ vms: {}, ...heard(domain()) }, [vm('ACTIVE/UNKNOWN', { history: [stay(2)] })])],
  ['domain_doubtful', () => ofHost({ vms: {}, ...heard(domain()) }, [vm('ACTIVE/RUNNING', { history: [stay(2)] })])],
  [
    'domain_elsewhere',
    () => ofHost({ vms: {}, ...heard(domain({ epoch: 0 })) }, [vm('ACTIVE/RUNNING', { history: [stay(2)] })]),
  ],
  ['domain_missing', () => ofHost({}, [running])],
  ['domain_stopped', () => ofHost(heard(domain({ state: 'failed' })), [running])],
  ['domain_older', () => ofHost(heard(domain({ epoch: 0 })), [running])],
  ['domain_newer', () => ofHost(heard(domain({ epoch: 3 })), [vm('ACTIVE/UNKNOWN')])],
  ['operation_without_run', () => judgeOperations([operation({})], now)],
  ['operation_without_run', () => judgeOperations([operation({ run: { ...run, status: 'terminated' } })], now)],
  ['operation_forgotten', () => judgeOperations([operation({ state: 'waiting', isKnown: false })], now)],
  [
    'run_without_operation',
    () =>
      judgeRuns(
        [{ ...run, workflowId: 'service-3' }],
        new Map([['op', { state: 'failed', ended_at: secondsAgo(31) }]]),
        now,
      ),
  ],
  ['run_without_operation', () => judgeRuns([{ ...run, workflowId: 'service-3' }], new Map(), now)],
  ['counter_behind', () => judgeCounters([{ pool: 'vm', next: 7, highest: 7 }])],
  ['quota_drift', () => judgeQuotas([balance(2, 1), balance(3, 0)])],
  ['vm_lease_stale', () => ofNics(vm('DONE'), [lease(0)])],
  ['vm_lease_stale', () => ofNics(wired, [lease(0), lease(1)])],
  ['nic_lease_missing', () => ofNics(wired, [])],
  ['nic_lease_missing', () => ofNics(vm('ACTIVE/UNKNOWN', { device_change: attaching }), [])],
  ['nic_lease_taken', () => ofNics(wired, [lease(0, { type: 'vm', id: 8, nic: 0 })])],
  ['nic_lease_taken', () => ofNics(wired, [lease(0, { type: 'hold' })])],
  ['service_network_missing', () => judgeMadeNetworks([networked(true)], new Set([8]))],
  ['network_without_service', () => judgeKeptNetworks([{ _id: 9, service: 3 }], [])],
  ['network_without_service', () => judgeKeptNetworks([{ _id: 9, service: 3 }], [networked(false)])],
  ['lease_orphaned', () => judgeHolders([lease(0)], { vms: new Set([8]), networks: new Map() })],
  ['lease_orphaned', () => judgeHolders([reserved(2), reserved(3)], { vms: new Set(), networks })],
  ['owner_missing', () => judgeOwners([owner(2, true, null), owner(7, false, '1 VM'), owner(8, false, null)])],
];

describe('what does not fit', () => {
  it.each(cases)('is %s, and nothing else', (code, judge) => {
    expect(judge().map((flaw) => flaw.code)).toEqual([code]);
  });

  it('is not removed unasked, of domains, where there are more than five of them on a host', () => {
    const found = (count: number) => {
      const ids = Array.from({ length: count }, (_, at) => at + 10);
      const gone = ids.map((_id) => vm('DONE', { _id }));
      return ofHost({ vms: {}, ...heard(...ids.map((id) => domain({ vm: id }))) }, gone).map(({ code }) => code);
    };
    expect(new Set(found(5))).toEqual(new Set(['domain_orphaned']));
    expect(new Set(found(6))).toEqual(new Set(['domain_doubtful']));
  });

  it('has a case of each kind', () => {
    expect(new Set(cases.map(([code]) => code))).toEqual(new Set(FindingCode.options));
  });

  it.each(cases)('is told of %s, can be found again, and by itself', (code, judge) => {
    const [flaw] = judge();
    if (!flaw) throw new Error('nothing was found');
    const { detail, repair, advice } = told(flaw);
    expect(detail).toMatch(/^[A-Za-z0-9].{10,}[.\w]$/);
    expect(detail).not.toMatch(/undefined|NaN|null|\[object/);
    expect((repair === null) !== (advice === null), 'either it can be repaired or a person can do something').toBe(
      true,
    );
    expect(placeOf(flaw).section).toBe(flaws[code].section);
    expect(keyOf(flaw)).toMatch(new RegExp(`^${code}/`));
    const stored: Flaw = JSON.parse(JSON.stringify(flaw));
    expect(isSame(flaw, stored)).toBe(true);
  });
});

describe('what fits', () => {
  const fits: [what: string, judge: () => Flaw[]][] = [
    ['a VM that runs where it is reserved', () => [...ofVm(running), ...ofHost(heard(domain()), [running])]],
    ...parked.map((state): [string, () => Flaw[]] => [
      `a role whose repair is ${state}`,
      () => ofService(service('WARNING', { roles: [{ ...role('web', 'FAILED_DEPLOYING'), operation: state }] })),
    ]),
    ['a domain of an earlier holder of the VM', () => ofHost(heard(domain({ epoch: 1 })), [running])],
    [
      'a VM that is powered off, with a domain or without',
      () => [
        ...ofVm(vm('POWEROFF')),
        ...ofHost({}, [vm('POWEROFF')]),
        ...ofHost(heard(domain({ state: 'stopped' })), [vm('POWEROFF')]),
      ],
    ],
    ['a domain that boots again', () => ofHost(heard(domain({ state: 'booting' })), [running])],
    ['a host that is OFFLINE and was not asked', () => ofHost({ heard: null }, [running])],
    [
      'a VM that failed, with a domain or without',
      () => [...ofHost({}, [vm('ACTIVE/BOOT_FAILURE')]), ...ofHost(heard(domain()), [vm('ACTIVE/BOOT_FAILURE')])],
    ],
    [
      'a PENDING VM of a service that has failed',
      () => ofVm(vm('PENDING', { ...inRole }), [service('FAILED_DEPLOYING')]),
    ],
    ['a service that runs', () => ofService(service('RUNNING'), undefined, [alike()])],
    ['a VM of its own whose operations go with it', () => ofVm(running, [], [7], [alike()])],
    ['a service whose deployment failed', () => ofService(service('FAILED_DEPLOYING'), { web: count({ running: 0 }) })],
    ['a service that is gone', () => ofService(service('DONE'), { web: count({ present: 0, running: 0 }) })],
    [
      'a role of which a VM is being terminated',
      () => ofService(service('RUNNING'), { web: count({ running: 1, busy: 1 }) }),
    ],
    ['an operation that is a moment old', () => judgeOperations([operation({ created_at: secondsAgo(2) })], now)],
    ['an operation with its run', () => judgeOperations([operation({ run: { ...run, status: 'open' } })], now)],
    [
      'an operation that waits for the run in its way',
      () =>
        judgeOperations(
          [
            operation({
              kind: 'undeployService',
              state: 'accepted',
              run: { op: 'other', firstRunId: 'run-2', status: 'open' },
            }),
          ],
          now,
        ),
    ],
    [
      'an operation that was asked to stop and does',
      () =>
        judgeOperations(
          [operation({ run: { ...run, status: 'open' }, cancel_requested: { by: { id: 0, name: 'x' }, at: now } })],
          now,
        ),
    ],
    ['an operation that waits for capacity', () => judgeOperations([operation({ state: 'waiting' })], now)],
    [
      'a run that says its last words',
      () =>
        judgeRuns(
          [{ ...run, workflowId: 'service-3' }],
          new Map([['op', { state: 'cancelled', ended_at: secondsAgo(9) }]]),
          now,
        ),
    ],
    ['a network that was made for a service', () => judgeMadeNetworks([networked(true)], new Set([9]))],
    ['one that is yet to be made', () => judgeMadeNetworks([networked(false)], new Set())],
    ['one whose service has it', () => judgeKeptNetworks([{ _id: 9, service: 3 }], [networked(true)])],
    ['an address of a NIC', () => ofNics(wired, [lease(0)])],
    [
      'an address of a NIC that may be there',
      () => ofNics(vm('ACTIVE/UNKNOWN', { device_change: attaching }), [lease(0)]),
    ],
    ['what an operation is about to give back', () => ofNics(vm('DONE', { operation: 'running' }), [lease(0)])],
    ['what an operation is about to take', () => ofNics({ ...wired, hold: heldBy('running') }, [])],
    ['an address of a reservation', () => judgeHolders([reserved(2)], { vms: new Set(), networks })],
    [
      'a counter above its ids',
      () =>
        judgeCounters([
          { pool: 'vm', next: 8, highest: 7 },
          { pool: 'host', next: 0, highest: -1 },
        ]),
    ],
  ];
  it.each(fits)('is %s', (_what, judge) => {
    expect(judge()).toEqual([]);
  });
});

describe('an operation with a run', () => {
  const anyVm = fc.record({
    name: fc.constantFrom(...vmStateNames),
    hold: fc.option(fc.constantFrom('lost', 'failed', ...atWork, ...parked).map(heldBy), { nil: null }),
    operation: fc.option(fc.constantFrom('lost', ...atWork, ...parked), { nil: null }),
    wanted: fc.option(fc.constantFrom('lost', ...atWork), { nil: null }),
    epoch: fc.integer({ min: 0, max: 4 }),
    history: fc.array(fc.constantFrom(stay(1), stay(2), stay(1, { etime: now })), { maxLength: 2 }),
    owner: fc.constantFrom(null, ...ServiceState.options),
  });
  const seenOf = ({ name, owner, ...over }: typeof anyVm extends fc.Arbitrary<infer T> ? T : never): SeenVm => ({
    ...vm(name, over),
    service: owner && { id: 3, role: 'web', ordinal: 0 },
  });
  const anyDomains = fc.array(
    fc
      .record({
        epoch: fc.integer({ min: 0, max: 4 }),
        state: fc.constantFrom('running' as const, 'stopped' as const),
      })
      .map(domain),
    { maxLength: 1 },
  );

  it('explains whatever a VM looks like that it has its hands on', () => {
    fc.assert(
      fc.property(
        anyVm,
        anyDomains,
        fc.constantFrom(...atWork),
        fc.constantFrom('hold', 'operation', 'wanted'),
        (any, domains, op, hand) => {
          const seen = { ...seenOf(any), [hand]: hand === 'hold' ? heldBy(op) : op };
          const owners = any.owner ? [service(any.owner)] : [];
          expect(ofVm(seen, owners, [])).toEqual([]);
          expect(ofHost(heard(...domains), [seen], owners)).toEqual([]);
        },
      ),
    );
  });

  it('explains whatever a service looks like that it has its hands on, and its VMs', () => {
    fc.assert(
      fc.property(
        anyVm,
        anyDomains,
        fc.constantFrom(...ServiceState.options),
        fc.constantFrom(...atWork),
        fc.boolean(),
        (any, domains, state, op, wants) => {
          const owner = service(state, wants ? { wanted: op } : { operation: op });
          const seen: SeenVm = { ...seenOf(any), service: { id: 3, role: 'web', ordinal: 0 } };
          expect(ofService(owner, { web: count({ running: 0, numbers: 1 }) })).toEqual([]);
          expect(ofVm(seen, [owner], [])).toEqual([]);
          expect(ofHost(heard(...domains), [seen], [owner])).toEqual([]);
        },
      ),
    );
  });

  it('a VM without a place is left so by an operation that failed or was cancelled', () => {
    expect(ofVm(vm('PENDING'), [], [], [], [7])).toEqual([]);
    expect(ofVm(vm('PENDING'), [], [], [], [8])).toHaveLength(1);
  });

  it('and one that waits explains what waits with it, but no domain that is gone', () => {
    for (const op of parked) {
      const owner = service('DEPLOYING', { operation: op, roles: [role('web', 'FAILED_DEPLOYING')] });
      expect(ofService(owner, { web: count({ running: 1 }) })).toEqual([]);
      const of = { service: { id: 3, role: 'web', ordinal: 0 } };
      expect(ofVm(vm('PENDING', { operation: op, hold: heldBy(op) }), [], [])).toEqual([]);
      expect(ofHost({}, [vm('PENDING', { operation: op })])).toEqual([]);
      const lost = ofHost({}, [vm('ACTIVE/RUNNING', of)], [owner]);
      expect(lost.map(({ code }) => code)).toEqual(['domain_missing']);
    }
  });
});

describe('what is found', () => {
  it('counts all operations that are not as what they are about, and names the first', () => {
    const found = ofVm(running, [], [7], [alike({ uid: 5 }), alike({ gid: 5, count: 3, first: 'a' }), alike()]);
    expect(found).toEqual([
      { code: 'vm_operation_owner_differs', seen: { vm: 7, operations: 5, first: 'a', should: mine } },
    ]);
  });

  it('has a name of its own, however much of it one host has', () => {
    const two = ofHost({ vms: { 8: size, 9: size }, ...heard(domain({ vm: 8 }), domain({ vm: 9 })) }, []);
    expect(two).toHaveLength(4);
    expect(new Set(two.map(keyOf)).size).toBe(4);
  });

  it('is another thing when what was seen of it has changed', () => {
    const [one, other] = [1, 2].map((epoch) => ofVm(vm('ACTIVE/BOOT', { epoch }))[0]);
    if (!one || !other) throw new Error('nothing was found');
    expect(keyOf(one)).toBe(keyOf(other));
    expect(isSame(one, other)).toBe(false);
  });
});

it('a VM of which its host has heard of a later epoch is found, though its domain is of its own', () => {
  const seen = [vm('ACTIVE/RUNNING')];
  expect(ofHost(heard(domain({ heard: 3 })), seen)).toMatchObject([{ code: 'domain_newer', seen: { domain: 3 } }]);
  expect(ofHost(heard(domain()), seen)).toEqual([]);
});
