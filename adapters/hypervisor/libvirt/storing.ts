import { Problem } from '../../../domain/problems.js';
import { type VmCall, vmCalls } from '../../../domain/vms/vm-verbs.js';
import { withText } from '../../process/own-files.js';
import type { MemoryPlace, StoreTarget } from '../port.js';
import { withContextDisk } from './context-disk.js';
import { underBoot } from './domain-edits.js';
import { markIn } from './domain-title.js';
import { refuseFull } from './making.js';
import { underEpoch } from './moving.js';
import { renewContext } from './saved.js';
import type { Site } from './site.js';

type Target = StoreTarget<'libvirt'>;

function placeOf(call: VmCall, site: Site, { id, memory }: Target): MemoryPlace {
  if (!memory) throw notSo(call, site, id, 'it has no datastore in which what it has in memory would be kept');
  return memory;
}
const notSo = (call: VmCall, { host }: Site, id: number, why: string): Problem =>
  new Problem(vmCalls[call].refused, `VM ${id} on ${host.name}: ${why}.`);

/** What libvirt itself says that is whole: it marks a file when it has written all of it. */
async function isWhole(site: Site, path: string, signal: AbortSignal): Promise<boolean> {
  return (await site.virsh.work(['save-image-dumpxml', path], signal)).refusal === null;
}

/**
 * What is saved on its host goes into the file that other hosts reach: libvirt brings it back, paused, and saves it there. Its domain goes when the file is whole.
 */
export async function store(site: Site, vm: Target, signal: AbortSignal): Promise<void> {
  const { id, epoch } = vm;
  const place = placeOf('store', site, vm);
  await site.fence.hear(id, epoch, 'touches', signal, 'as before');
  const domain = await site.own(vm, signal);
  if (domain && domain.state !== 'suspended' && domain.state !== 'stopped')
    throw notSo('store', site, id, 'it is not suspended');
  const { path, isThere } = await place.take(signal);
  const isDone = domain?.state !== 'suspended' && isThere && (await isWhole(site, path, signal));
  if (!isDone) {
    if (domain?.state !== 'suspended') throw notSo('store', site, id, 'nothing is saved of it');
    if (!domain.isUp) {
      const context = await site.fence.hear(id, epoch, 'starts', signal, 'as before');
      await renewContext(site, 'store', { id, epoch, context }, domain.uuid, signal);
      await site.work('store', id, ['start', domain.uuid, '--paused'], signal, /already active|already running/i);
    }
    await site.work('store', id, ['save', domain.uuid, path, '--paused'], signal);
  }
  if (domain) await site.erase('store', id, domain.uuid, signal);
  await site.fence.hear(id, epoch, 'stops', signal);
}

/** What is kept in the file goes on on this host, paused: its domain is defined first, as it is under this epoch. */
export async function fetch(site: Site, vm: Target, signal: AbortSignal): Promise<void> {
  const { id, epoch } = vm;
  const place = placeOf('fetch', site, vm);
  const { path, isThere } = await place.take(signal);
  const context = await withContextDisk(vm.context ?? null, signal, (told) =>
    site.fence.hear(id, epoch, 'starts', signal, told),
  );
  const present = await site.own(vm, signal);
  if (present?.state === 'running') return;
  if (present?.state !== 'suspended') {
    if (!isThere) throw notSo('fetch', site, id, 'nothing is kept of it');
    const kept = await site.work('fetch', id, ['save-image-dumpxml', path, '--security-info'], signal);
    const { capacity = { cpu: 0, memory: 0 } } = markIn(/<title>([^<]{1,300})<\/title>/.exec(kept)?.[1] ?? '') ?? {};
    refuseFull(site, 'fetch', { id, capacity }, await site.list(signal));
    const boot = vm.boot === 'nowhere' ? undefined : vm.boot;
    const definition = underBoot(underEpoch(kept, site.installation, { id, epoch, context }), boot);
    await withText(definition, async (file) => {
      await site.work('fetch', id, ['define', file], signal);
      await site.work('fetch', id, ['restore', path, '--xml', file, '--paused'], signal, /already active/i);
    });
  }
  await place.drop(signal);
}
