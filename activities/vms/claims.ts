import { Context } from '@temporalio/activity';
import { targetOf } from '../../adapters/hypervisor/host-target.js';
import { isSilent } from '../../domain/hosts/host-states.js';
import { Problem, problemOf } from '../../domain/problems.js';
import { placeOf } from '../../domain/vms/stays.js';
import { contradiction, isContradicted } from '../../domain/vms/vm-claims.js';
import type { VmEvent } from '../../domain/vms/vm-events.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { StepPorts } from '../ports.js';

const patience = 4_000;

export const claimActivities = ({ store, hypervisors }: Pick<StepPorts, 'store' | 'hypervisors'>) => ({
  /**
   * Asks the VM's host whether what was said of it is so. Returns why not, as a sentence; null where nothing speaks against it,
   * or the host is silent as monitoring finds it, too: then whoever has said it knows better than anybody here. One that only now
   * does not answer is asked again.
   */
  async compareClaim({ vm: id, event }: { vm: number; event: VmEvent }): Promise<string | null> {
    const { cancellationSignal } = Context.current();
    const vm = await store.vms.find(id);
    const stay = vm && placeOf(vm);
    const [host] = stay ? await store.hosts.byIds([stay.hid]) : [];
    if (!host) return null;
    const target = targetOf(host);
    try {
      const { domains } = await hypervisors.of(target).probe(target, abortedAfter(cancellationSignal, patience));
      const seen = domains.find((domain) => domain.vm === id)?.state ?? 'none';
      return isContradicted(event, seen) ? contradiction(id, host.name, seen) : null;
    } catch (error) {
      if (cancellationSignal.aborted) throw error;
      if (isSilent(host)) return null;
      throw (
        problemOf(error) ??
        new Problem('backend_unavailable', `${host.name} did not answer within ${patience / 1000} s.`)
      );
    }
  },
});
