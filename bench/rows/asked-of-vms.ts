import type { VmAction } from '../../schemas/operations/vm-action.js';
import type { Vm } from '../../schemas/vms/vm.js';

/** A request to a VM, or to a role; `to`: below the one or the other; `calls`: to the hypervisor or the datastore; 0: it is written, and that is all. */
export type Ask = { name: string; to: string; body?: object; calls: number };
/** What is there besides, for those that need it. */
export type Beside = { image: number; hosts: readonly number[] };
/** What is asked of a VM as it is then: of what it has been given last. */
export type AskOf = (vm: Vm, beside: Beside) => Ask;

/** Some take two steps or three: memory is saved and taken away, a VM is ended and made anew. */
const callsOf = (action: VmAction): number => (action === 'stop' || action === 'recreate' ? 2 : 1);

const act =
  (action: VmAction): AskOf =>
  ({ snapshots }) => {
    const isOfOne = action === 'snapshot-revert' || action === 'snapshot-delete';
    const body = { action, ...(isOfOne && { snapshot: snapshots?.at(-1)?.id }) };
    return { name: action, to: 'actions', body, calls: callsOf(action) };
  };

/** One that was stopped is brought back and resumed; by a route of its own, or by that of a role's actions. */
const resumed =
  (to: string, body?: object): AskOf =>
  ({ state }) => ({ name: `resume of ${state}`, to, ...(body && { body }), calls: state === 'STOPPED' ? 2 : 1 });
const resumeAll = resumed('actions', { action: 'resume' });
const resume = resumed('resume');

/** Of a role, in an order in which each finds the VMs as it needs them, and leaves them as the first does. */
export const ofRole: readonly AskOf[] = [
  ...[act('poweroff'), resumeAll, act('poweroff-hard'), resumeAll],
  ...[act('reboot'), act('reboot-hard'), act('suspend'), resumeAll, act('stop'), resumeAll],
  ...[act('snapshot-create'), act('snapshot-revert'), act('snapshot-delete')],
  ...[act('undeploy'), resumeAll, act('undeploy-hard'), resumeAll, act('recreate')],
];

const lastDisk = ({ disks }: Vm): string => `disks/${disks?.at(-1)?.disk_id}`;
const snapshotOf = ({ disks }: Vm, nth: number): string => `snapshots/${disks?.at(-1)?.snapshots.at(nth)?.snapshot_id}`;
const own =
  (name: string, calls = 1, body: object = {}, to = name): AskOf =>
  () => ({ name, to, body, calls });
const ofDisk =
  (name: string, to: (vm: Vm) => string, body: object = {}): AskOf =>
  (vm) => ({ name, to: `${lastDisk(vm)}/${to(vm)}`, body, calls: 1 });

const attach = own('disk-attach', 1, { type: 'fs', size: 16, format: 'qcow2' }, 'disks');
const detach = ofDisk('disk-detach', () => 'detach');

/** Of VMs of nobody’s service, for some are refused to those of one: from RUNNING to DONE. */
export const ofVms: readonly AskOf[] = [
  ...[act('poweroff'), resume, act('poweroff-hard')],
  own('resize', 0, { memory: 256 }),
  own('updateconf', 0, { template: { OS: { BOOT: 'nic0' } } }),
  attach,
  (vm, { image }) => ({ name: 'disk-restore', to: `${lastDisk(vm)}/restore`, body: { image_id: image }, calls: 1 }),
  ...[detach, resume, act('reboot'), act('reboot-hard'), act('suspend'), resume, act('stop'), resume],
  ...[act('snapshot-create'), act('snapshot-revert'), act('snapshot-delete')],
  own('migrate', 3),
  own('migrate-live', 1, { live: true }, 'migrate'),
  own('nic-attach', 1, { network: 'public' }, 'nics'),
  ({ nics }) => ({ name: 'nic-detach', to: `nics/${nics?.at(-1)?.nic_id}/detach`, calls: 1 }),
  attach,
  ofDisk('disk-resize', () => 'resize', { size: 32 }),
  (vm) => ({
    ...{ name: 'disk-saveas', to: `${lastDisk(vm)}/save`, calls: 1 },
    body: { name: `saved of ${vm._id} at ${vm.epoch}` },
  }),
  ...['before', 'after'].map((name) => ofDisk('disk-snapshot-create', () => 'snapshots', { name })),
  act('poweroff'),
  ofDisk('disk-snapshot-revert', (vm) => `${snapshotOf(vm, 0)}/revert`),
  ofDisk('disk-snapshot-delete', (vm) => `${snapshotOf(vm, -1)}/delete`),
  ...[resume, detach, act('undeploy')],
  ({ _id }, { hosts }) => ({ name: 'deploy', to: 'deploy', body: { host: hosts[_id % hosts.length] }, calls: 1 }),
  ...[act('undeploy-hard'), resume],
  own('recreate', 2, { action: 'recreate' }, 'recover'),
  own('terminate'),
];

/** Of VMs that were made on hold. */
export const ofHeld: readonly AskOf[] = [
  own('hold', 0),
  own('release'),
  own('terminate-hard', 1, { hard: true }, 'terminate'),
];
