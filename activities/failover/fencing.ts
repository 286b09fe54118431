import { Context } from '@temporalio/activity';
import { targetOf } from '../../adapters/hypervisor/host-target.js';
import { methodText } from '../../domain/hosts/fencing-methods.js';
import { isOff, isSilent } from '../../domain/hosts/host-states.js';
import { Problem, problemOf } from '../../domain/problems.js';
import { clauses, few } from '../../domain/words.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { StepPorts } from '../ports.js';

type Ports = Pick<StepPorts, 'store' | 'hypervisors' | 'fencing'>;

/** Milliseconds that a host has to answer whoever looks once more. */
const patience = 4_000;

/** off: it is; answers: it came back, and nothing is to be done; ask: a person has to say so. */
export type FencingOutcome = { is: 'off' } | { is: 'answers' } | { is: 'ask'; why: string | null };

/** VMs that are told of. */
const told = 5;
const aliveText = (vms: readonly number[]): string =>
  `guests of it are seen to run, of ${few(
    vms.map((vm) => `VM ${vm}`),
    told,
  )}: its hypervisor has failed, and not the host`;

/** The steps of a failover that ask something of hosts. */
export const fencingSteps = ({ store, hypervisors, fencing }: Ports) => {
  /** VMs of a silent host whose guests are seen to run there. What cannot be seen in time is not. */
  async function guestsAlive(host: Host, signal: AbortSignal): Promise<number[]> {
    const target = targetOf(host);
    try {
      const seen = (await hypervisors.of(target).guestsSeen(target, abortedAfter(signal, patience))) ?? [];
      return seen.filter((vm) => host.vms[String(vm)] !== undefined);
    } catch (error) {
      if (signal.aborted) throw error;
      return [];
    }
  }
  return {
    /** Whether a host that is to be failed over does not answer still: as monitoring has it, and one more look. */
    async confirmFailure({ host: id }: { host: number }): Promise<boolean> {
      const { cancellationSignal } = Context.current();
      const [host] = await store.hosts.byIds([id]);
      if (!host) return false;
      if (isOff(host)) return true;
      if (!isSilent(host)) return false;
      const target = targetOf(host);
      try {
        await hypervisors.of(target).probe(target, abortedAfter(cancellationSignal, patience));
        return false;
      } catch (error) {
        if (cancellationSignal.aborted) throw error;
        return true;
      }
    },

    /**
     * Has the host turned off, by the methods of its policy one after the other, and writes down that it is. One that answers meanwhile is not
     * turned off. Throws `not_fenced` where all have failed and nobody is to be asked.
     */
    async fenceHost({ op, host: id }: { op: string; host: number }): Promise<FencingOutcome> {
      const { cancellationSignal } = Context.current();
      const host = await store.hosts.find(id);
      const failures: string[] = [];
      const alive = host && isSilent(host) && !isOff(host) ? await guestsAlive(host, cancellationSignal) : [];
      if (host && alive.length > 0 && host.ha?.alive !== 'fence') return { is: 'ask', why: aliveText(alive) };
      for (const method of host?.ha?.fencing ?? [{ kind: 'manual' as const }]) {
        // Before each: it may have come back, or been called off; and whoever thaws here long after must not turn it off again.
        const [now] = await store.hosts.byIds([id]);
        if (now?.operation !== op || (!isSilent(now) && !isOff(now))) return { is: 'answers' };
        if (isOff(now)) return { is: 'off' };
        if (method.kind === 'manual') return { is: 'ask', why: failures.length === 0 ? null : clauses(failures) };
        try {
          if (!fencing) throw new Problem('not_fenced', 'this worker turns no hosts off');
          await fencing.off({ id, name: now.name }, method, cancellationSignal);
          // One that answers by now has come back, and has nothing of before.
          await store.failovers.fence(id, { at: new Date(), by: methodText(method) }, op);
          await store.failovers.noteOff(op);
          return { is: 'off' };
        } catch (error) {
          if (cancellationSignal.aborted) throw error;
          const problem = problemOf(error);
          if (problem?.code !== 'not_fenced') throw error;
          failures.push(problem.message);
        }
      }
      throw new Problem(
        'not_fenced',
        `${host?.name} could not be turned off, so nothing was started elsewhere: ${clauses(failures)}.`,
      );
    },
  };
};
