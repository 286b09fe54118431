import type { VmCall } from '../../../domain/vms/vm-verbs.js';
import { withText } from '../../process/own-files.js';
import { saidIn } from './adopting.js';
import { type Renewed, withContext } from './moving.js';
import type { Site } from './site.js';

/** What was saved goes on with the CD-ROM of the epoch that starts it; its own stays as it is. */
export async function renewContext(
  site: Site,
  call: VmCall,
  vm: Renewed,
  uuid: string,
  signal: AbortSignal,
): Promise<void> {
  const saved = await site.work(call, vm.id, ['managedsave-dumpxml', uuid, '--security-info'], signal);
  const { before } = saidIn(saved);
  const own = withContext(saved, { ...vm, installation: site.installation }, vm.context);
  const renewed = before?.vm ? withContext(own, before.vm, vm.context) : own;
  if (renewed === saved) return;
  await withText(renewed, (file) => site.work(call, vm.id, ['managedsave-define', uuid, file], signal));
}
