import type { Caller } from '../../domain/identity/caller.js';
import { type Span, toldStays } from '../../domain/vms/vm-log.js';
import type { OperationKind } from '../../schemas/operations.js';
import type { VmLogLine } from '../../schemas/vms/vm.js';
import type { VmLogResource } from '../../schemas/vms/vm-log.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';

const iso = (date: Date): string => date.toISOString();
const spanOf = (span: Span | null) => span && { from: iso(span.from), until: span.until && iso(span.until) };

/** What a VM has been through: its changes of state, and where it was. */
export async function showVmLog(context: OperationsContext, caller: Caller, id: number): Promise<VmLogResource> {
  const { store } = context;
  const vm = authorised(caller, 'vm', await store.vms.find(id), 'use', id);
  const { log = [], history } = vm;
  const asked = await store.operations.deeds([...new Set(log.flatMap(({ op }) => op ?? []))]);
  const deeds = new Map(asked.map((deed) => [deed._id, { action: actionOf(deed), requester: deed.requester.name }]));
  const lineOf = ({ at, op, ...line }: VmLogLine) => {
    const { action = null, requester = null } = (op === null ? undefined : deeds.get(op)) ?? {};
    return { time: iso(at), ...line, operation: op, action, requester };
  };
  return {
    vm: id,
    log: log.map(lineOf),
    history: toldStays(history, log).map((stay) => {
      const actions = stay.lines.flatMap(({ op }) => (op === null ? [] : (deeds.get(op)?.action ?? [])));
      return {
        ...{ seq: stay.seq, host_id: stay.hid, hostname: stay.hostname, reason: stay.reason },
        ...{ started_at: iso(stay.stime), ended_at: stay.etime && iso(stay.etime) },
        action: actions.findLast((action) => action !== 'deploy') ?? null,
        placed_by: stay.lines[0]?.op ?? null,
        ...{ prolog: spanOf(stay.prolog), running: spanOf(stay.running), epilog: spanOf(stay.epilog) },
      };
    }),
  };
}

type Deed = Awaited<ReturnType<OperationsContext['store']['operations']['deeds']>>[number];

function actionOf({ kind, input }: Deed): string {
  const said = actions[kind];
  return typeof said === 'string' ? said : said(input);
}

const terminated = (input: Deed['input']) => ('hard' in input && input.hard ? 'terminate-hard' : 'terminate');
const named = (other: string) => (input: Deed['input']) => ('action' in input ? input.action : other);

/** What each operation is to a VM: by OpenNebula's names, where it has one. */
const actions: { readonly [K in OperationKind]: string | ((input: Deed['input']) => string) } = {
  deployService: 'deploy',
  undeployService: terminated,
  repairService: 'repair',
  scaleRole: 'scale',
  performOnRole: named('perform'),
  deployVm: (input) => ('recreate' in input && input.recreate ? 'delete-recreate' : 'deploy'),
  terminateVm: terminated,
  recoverVm: 'recover',
  performOnVm: named('perform'),
  migrateVm: (input) => ('live' in input && input.live ? 'live-migrate' : 'migrate'),
  flushHost: 'flush',
  failoverHost: 'failover',
  importVm: 'import',
  changeDevices: (input) => ('change' in input ? input.change.action : 'update'),
  saveDisk: 'disk-saveas',
  restoreDisk: 'disk-restore',
  debugVm: 'recover',
  // No VM has these.
  testFencing: 'fence-test',
  createImage: 'create',
  cloneImage: 'clone',
  resizeImage: 'resize',
  snapshotImage: named('snapshot'),
  deleteImage: 'delete',
  exportApp: 'export',
  publishApp: 'publish',
  deleteApp: 'delete',
  checkConsistency: 'fsck',
};
