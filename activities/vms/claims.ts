import { Context } from '@temporalio/activity';
import { targetOf } from '../../adapters/hypervisor/host-target.js';
import { problemOf } from '../../domain/problems.js';
import { placeOf } from '../../domain/vms/stays.js';
import { contradiction, isContradicted } from '../../domain/vms/vm-claims.js';
import type { VmEvent } from '../../domain/vms/vm-states.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { StepPorts } from '../ports.js';

const patience = 4_000;

export const claimActivities = ({ store, hypervisors }: Pick<StepPorts, 'store' | 'hypervisors'>) => ({
  /**
   * Asks the VM's host whether what was said of it is so. Returns why not, as a sentence; null where nothing speaks against it,
   * or the host is silent: then whoever has said it knows better than anybody here.
   */
  async compareClaim({ vm: id, event }: { vm: number; event: VmEvent }): Promise<string | null> {
    const { cancellationSignal } = Context.current();
    const vm = await store.vms.find(id);
    const stay = vm && placeOf(vm);
    const [host] = stay ? await store.hosts.byIds([stay.hid]) : [];
    if (!host) return null;
    const target = targetOf(host);
    try {
      const signal = abortedAfter(cancellationSignal, patience);
      const { domains } = await hypervisors.of(target).probe(target, signal);
      const seen = domains.find((domain) => domain.vm === id)?.state ?? 'none';
      return isContradicted(event, seen) ? contradiction(id, host.name, seen) : null;
    } catch (error) {
      if (cancellationSignal.aborted) throw error;
      const isSilent = problemOf(error)?.code === 'backend_unavailable' || isTimeout(error);
      if (!isSilent) throw error;
      return null;
    }
  },
});

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';
