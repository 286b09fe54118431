import { z } from 'zod';
import { laterNames } from '../../domain/services/later-names.js';
import type { OwnershipResource } from '../../schemas/common/common.js';
import { type NodeResource, type ServiceResource, ServiceState } from '../../schemas/services/service.js';
import type { ServiceTemplateResource } from '../../schemas/services/service-template.js';
import type { VmLcmState, VmState } from '../../schemas/vms/vm.js';
import type { Ways } from './client-version.js';

// What OneFlow calls a document: of its envelope every member is a text, of its body what JSON has.

/** OpenNebula's numbers of the documents that OneFlow keeps. */
const types = { service: '100', service_template: '101' } as const;

type Owned = z.infer<typeof OwnershipResource> & { id: number; name: string };

export type Document = { DOCUMENT: Record<string, unknown> };

const bit = (is: boolean): string => (is ? '1' : '0');

/** What OneFlow keeps beside the body of a document: texts, and texts by name. */
const Raw = z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])).catch({});
export const rawIn = (told: unknown): z.infer<typeof Raw> => Raw.parse(told);

function documentOf(type: keyof typeof types, { permissions, ...of }: Owned, body: object, raw: object = {}): Document {
  const { owner, group, other } = permissions;
  return {
    DOCUMENT: {
      ID: String(of.id),
      UID: String(of.uid),
      GID: String(of.gid),
      UNAME: of.uname,
      GNAME: of.gname,
      NAME: of.name,
      TYPE: types[type],
      PERMISSIONS: {
        ...{ OWNER_U: bit(owner.use), OWNER_M: bit(owner.manage), OWNER_A: bit(owner.admin) },
        ...{ GROUP_U: bit(group.use), GROUP_M: bit(group.manage), GROUP_A: bit(group.admin) },
        ...{ OTHER_U: bit(other.use), OTHER_M: bit(other.manage), OTHER_A: bit(other.admin) },
      },
      TEMPLATE: { BODY: body, ...raw },
    },
  };
}

const seconds = (time: string): number => Math.floor(Date.parse(time) / 1_000);

/** OneFlow's number of a state. Of services, those of their networks stand before HOLD, which releases before 6.4 do not know. */
function stateNumber(state: ServiceState, of: 'service' | 'role', { holds }: Pick<Ways, 'holds'>): number {
  if (state === 'HOLD' && holds === 'unknown') return stateNumber('PENDING', of, { holds });
  return state === 'HOLD' && of === 'service' ? 15 : ServiceState.options.indexOf(state);
}

export function templateDocument(template: ServiceTemplateResource, { names, times }: Ways): Document {
  const { template_raw, ...body } = template.body;
  const shown = {
    ...(names === 'later' ? laterNames(body) : body),
    ...(times === 'told' && { registration_time: seconds(template.created_at) }),
  };
  return documentOf('service_template', template, shown, rawIn(template_raw ?? {}));
}

/** What Arcus tells of a service and of a role beside what OneFlow has in their place. */
const ofService: ReadonlySet<string> = new Set([
  ...['id', 'uid', 'gid', 'uname', 'gname', 'permissions', 'shutdown_action'],
  ...['template_id', 'template_revision', 'template_raw', 'operation', 'created_at', 'ended_at'],
  'virtual_networks',
]);
const ofRole: ReadonlySet<string> = new Set(['reason', 'operation', 'cooldown_until']);

const without = (object: object, names: ReadonlySet<string>): object =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.has(name)));

export function serviceDocument(service: ServiceResource, ways: Ways): Document {
  const { state, log, roles, shutdown_action, created_at } = service;
  const body = {
    ...without(service, ofService),
    ...(shutdown_action !== null && { shutdown_action }),
    roles: roles.map((role) => roleBody(role, service, ways)),
    state: stateNumber(state, 'service', ways),
    log: log.map((entry) => ({ ...entry, timestamp: seconds(entry.timestamp) })),
  };
  const shown = {
    ...(ways.names === 'later' ? laterNames(body) : body),
    ...(ways.times === 'told' && { start_time: seconds(created_at) }),
  };
  return documentOf('service', service, shown, rawIn(service.template_raw ?? {}));
}

function roleBody(role: ServiceResource['roles'][number], service: ServiceResource, ways: Ways): object {
  const { state, cooldown_until, nodes, elasticity_policies: policies } = role;
  return {
    ...without(role, ofRole),
    ...(policies && {
      elasticity_policies: policies.map(({ last_eval, last: _last, ...policy }) => ({
        ...policy,
        ...(last_eval !== null && { last_eval: seconds(last_eval) }),
      })),
    }),
    state: stateNumber(state, 'role', ways),
    ...(cooldown_until !== null && { cooldown_end: seconds(cooldown_until) }),
    nodes: nodes.map((node) => nodeBody(node, { role: state, service, ways })),
  };
}

/** The numbers of OpenNebula's VM states. */
const vmStates: Readonly<Record<VmState, number>> = {
  ...{ PENDING: 1, HOLD: 2, ACTIVE: 3, SUSPENDED: 5, DONE: 6, POWEROFF: 8, UNDEPLOYED: 9, STOPPED: 4 },
};
const lcmStates: Readonly<Record<VmLcmState, number>> = {
  ...{
    LCM_INIT: 0,
    PROLOG: 1,
    BOOT: 2,
    RUNNING: 3,
    SAVE_SUSPEND: 6,
    EPILOG: 11,
    SHUTDOWN: 12,
    UNKNOWN: 16,
  },
  HOTPLUG_SNAPSHOT: 24,
  ...{ MIGRATE: 4, SAVE_MIGRATE: 7, PROLOG_MIGRATE: 8, BOOT_MIGRATE: 35 },
  ...{ PROLOG_MIGRATE_POWEROFF: 43, PROLOG_MIGRATE_SUSPEND: 45 },
  ...{ SAVE_STOP: 5, PROLOG_RESUME: 9, EPILOG_STOP: 10, BOOT_STOPPED: 22 },
  ...{ SHUTDOWN_POWEROFF: 18, BOOT_SUSPENDED: 21, SHUTDOWN_UNDEPLOY: 29 },
  ...{ HOTPLUG_SAVEAS: 26, HOTPLUG_SAVEAS_POWEROFF: 27, HOTPLUG_SAVEAS_SUSPENDED: 28 },
  ...{ HOTPLUG: 17, HOTPLUG_NIC: 25, HOTPLUG_PROLOG_POWEROFF: 33, HOTPLUG_EPILOG_POWEROFF: 34 },
  ...{ DISK_SNAPSHOT_POWEROFF: 51, DISK_SNAPSHOT_REVERT_POWEROFF: 52, DISK_SNAPSHOT_DELETE_POWEROFF: 53 },
  ...{ DISK_SNAPSHOT_SUSPENDED: 54, DISK_SNAPSHOT_REVERT_SUSPENDED: 55, DISK_SNAPSHOT_DELETE_SUSPENDED: 56 },
  ...{ DISK_SNAPSHOT: 57, DISK_SNAPSHOT_DELETE: 59 },
  // Of later releases.
  ...{ DISK_RESIZE: 62, DISK_RESIZE_POWEROFF: 63, HOTPLUG_NIC_POWEROFF: 65 },
  ...{ BOOT_FAILURE: 36, PROLOG_FAILURE: 39, EPILOG_FAILURE: 40, EPILOG_STOP_FAILURE: 41, PROLOG_RESUME_FAILURE: 49 },
};

const coming: ReadonlySet<VmLcmState> = new Set(['PROLOG', 'BOOT', 'PROLOG_FAILURE', 'BOOT_FAILURE']);

/** A VM of a role. Releases before 5.12 show its states and host, and arrows at those that come and go. */
function nodeBody(
  { vm_id, name, state, lcm_state, host, ready, created_at, monitoring }: NodeResource,
  { role, service, ways }: { role: ServiceState; service: ServiceResource; ways: Ways },
): object {
  const { uid, gid, uname, gname } = service;
  const named = {
    ...{ ID: String(vm_id), UID: String(uid), GID: String(gid), UNAME: uname, GNAME: gname, NAME: name },
  };
  if (ways.nodes === 'brief') return { deploy_id: vm_id, vm_info: { VM: named } };
  const isLeaving = lcm_state === 'SHUTDOWN' || lcm_state === 'EPILOG';
  const runs = lcm_state === 'RUNNING' && (ready || !service.ready_status_gate);
  const isScaled = role === 'SCALING';
  // Those that are switched off, or that nobody hears of, neither come nor go.
  const comes = state === 'PENDING' || coming.has(lcm_state) || (lcm_state === 'RUNNING' && !runs);
  return {
    deploy_id: vm_id,
    vm_info: {
      VM: {
        ...named,
        ...{ STATE: String(vmStates[state]), LCM_STATE: String(lcmStates[lcm_state]), RESCHED: '0' },
        ...{ CPU: String(Math.round(monitoring?.cpu ?? 0)), MEMORY: String(Math.round(monitoring?.memory ?? 0)) },
        ...{ STIME: String(seconds(created_at)), ETIME: '0' },
        HISTORY_RECORDS: host === null ? {} : { HISTORY: { HOSTNAME: host } },
      },
    },
    running: runs,
    ...(isScaled && isLeaving && { disposed: '1' }),
    ...(isScaled && comes && { scale_up: '1' }),
  };
}
