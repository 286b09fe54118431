import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { machineOf, vcpuOf } from '../../../domain/vms/machine.js';
import { withText } from '../../process/own-files.js';
import { ownName } from '../own-name.js';
import type { Domain, PlacedVm } from '../port.js';
import { withContextDisk } from './context-disk.js';
import { domainXml } from './domain-xml.js';
import type { Listed } from './domains.js';
import { fine, isSystem, type Site, uuidOf } from './site.js';

type Vm = PlacedVm<'libvirt'>;

/** The domain of a VM under its epoch runs: made where it is not there, one of an older epoch is destroyed first. */
export async function make(site: Site, vm: Vm, signal: AbortSignal): Promise<Domain> {
  if (vm.boot === 'nowhere')
    throw site.refused(
      'deploy',
      vm.id,
      'it has a kernel, and no datastore that keeps bytes of it: undeploy it, and resume it where there is one',
    );
  const all = await site.list(signal);
  const before = all.find(site.isOf(vm.id));
  if (before?.mark?.epoch !== vm.epoch) refuseFull(site, 'deploy', vm, all);
  const context = await withContextDisk(vm.context ?? null, signal, (told) =>
    site.fence.hear(vm.id, vm.epoch, 'starts', signal, told),
  );
  // Anew: what was there before the host had heard may be somebody else’s by now.
  const present = await site.own(vm, signal);
  if (present?.mark?.epoch === vm.epoch) {
    if (present.state !== 'running') {
      await site.dropSnapshots('deploy', vm.id, present.uuid, signal);
      await start(site, vm, present.uuid, signal);
    }
    return { deployId: present.uuid, epoch: vm.epoch };
  }
  const uuid = uuidOf(site.installation, vm.id, vm.epoch);
  if (present) await site.erase('deploy', vm.id, present.uuid, signal);
  await define(site, vm, { uuid, context }, signal);
  await start(site, vm, uuid, signal);
  return { deployId: uuid, epoch: vm.epoch };
}

/** What a host has left, with what others have taken: it is Arcus that places VMs, and libvirt takes whatever comes. */
export function refuseFull(
  site: Site,
  call: 'deploy' | 'migrate' | 'fetch',
  vm: Pick<Vm, 'id' | 'capacity'>,
  all: readonly Listed[],
): void {
  const { total } = site.host.connection;
  const others = all.filter((one) => !site.isOf(vm.id)(one) && one.state !== 'stopped');
  for (const kind of ['cpu', 'memory'] as const) {
    const left = total[kind] - others.reduce((sum, { capacity }) => sum + capacity[kind], 0);
    if (vm.capacity[kind] > left)
      throw site.refused(
        call,
        vm.id,
        `it needs ${vm.capacity[kind]} of ${kind}, of which ${Math.max(0, left)} is left`,
      );
  }
}

async function define(site: Site, vm: Vm, made: { uuid: string; context: string }, signal: AbortSignal): Promise<void> {
  const { installation, host } = site;
  const console = posix.join(posix.dirname(made.context), `${installation}.${vm.id}.log`);
  const definition = domainXml({
    ...{ name: ownName(vm.domain, installation), ...{ ...made, console }, type: host.connection.virt_type },
    mark: { installation, vm: vm.id, epoch: vm.epoch, capacity: vm.capacity },
    ...{ devices: vm.devices ?? { nics: [], disks: [] }, isSystem: isSystem(host) },
    machine: machineOf(vm.template),
    boot: vm.boot === 'nowhere' ? undefined : vm.boot,
    vcpu: vcpuOf({ CPU: vm.capacity.cpu / 100, VCPU: vm.template.VCPU }),
    // As long as RFB takes one.
    password: randomBytes(6).toString('base64url'),
  });
  await withText(definition, (path) => site.work('deploy', vm.id, ['define', path], signal));
}

/** Where what it cannot start without has gone meanwhile, somebody else has taken the VM. */
async function start(site: Site, vm: Vm, uuid: string, signal: AbortSignal): Promise<void> {
  const { refusal: said } = await site.virsh.work(['start', uuid], signal);
  if (said === null || fine.up.test(said)) return;
  const late = await site.late(vm, signal);
  // It is of nobody else: its uuid is that of this epoch.
  if (late) await site.erase('deploy', vm.id, uuid, signal);
  throw late ?? site.refused('deploy', vm.id, said);
}
