import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Power } from '../../adapters/fencing/port.js';
import { targetOf } from '../../adapters/hypervisor/host-target.js';
import { type Automatic, isAutomatic, methodText } from '../../domain/hosts/fencing-methods.js';
import { Problem } from '../../domain/problems.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { Host } from '../../schemas/hosts/host.js';
import { isFencingTest } from '../../schemas/operations/operation.js';
import { begin, type StepInput } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';

type Ports = Pick<StepPorts, 'store' | 'hypervisors' | 'fencing' | 'settings'>;

/** `methods`: by their places those that need nobody; `cut`: the one by which it was turned off by a run or a test before this one. */
export type FencingTest = { host: number; methods: { at: number; name: string }[]; cut: number | null };

/** A method of a host, by its place, that is tested. */
export type TestedMethod = { op: string; host: number; at: number };

/** The step that touches MongoDB alone. */
export const fencingTestActivities = ({ store }: Pick<Ports, 'store'>) => ({
  beginFencingTest: (input: StepInput) =>
    begin(store, input, async (operation): Promise<FencingTest | null> => {
      const host = await store.hosts.find(operation.resource.id);
      if (host?.operation !== operation._id) return null;
      const methods = (host.ha?.fencing ?? []).flatMap((method, at) =>
        isAutomatic(method) ? [{ at, name: methodText(method) }] : [],
      );
      const cut = host.power_cut?.methods === host.ha?.methods ? host.power_cut?.at : undefined;
      return { host: host._id, methods, cut: cut ?? null };
    }),
});

/** Milliseconds that a host has to answer whoever looks, and between looks. */
const patience = 4_000;
const pause = 500;
/** Seconds until it is seen to have gone, and until it has booted: a server looks at its memory, which takes minutes. */
const usual = { going: 30, booting: 20 * 60 };
/** Looks in a row that have to find the same: one that fails may be the network's. */
const looks = 2;

/** The steps that ask something of the host, and of what turns it off. */
export const fencingTestSteps = ({ store, hypervisors, fencing, settings }: Ports) => {
  const limits = () => settings.powerPatience ?? usual;
  /** The host, if the test has it still, with this method. */
  async function under({ op, host: id, at }: TestedMethod): Promise<{ host: Host; method: Automatic }> {
    const [host, operation] = await Promise.all([store.hosts.find(id), store.operations.find(op)]);
    if (host?.operation !== op || !operation || !isFencingTest(operation))
      throw new Problem('taken', `Host ${id} is not this operation's any more.`);
    const method = host.ha?.methods === operation.input.methods ? host.ha.fencing[at] : undefined;
    if (!method || !isAutomatic(method))
      throw new Problem('not_fenced', `${host.name} is to be turned off in another way since this test began`);
    return { host, method };
  }
  const ask = async <T>(work: (port: NonNullable<typeof fencing>) => Promise<T>): Promise<T> => {
    if (!fencing) throw new Problem('not_fenced', 'this worker turns no hosts off');
    return work(fencing);
  };
  async function answers(host: Host, signal: AbortSignal): Promise<boolean> {
    const target = targetOf(host);
    try {
      await hypervisors.of(target).probe(target, abortedAfter(signal, patience));
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      return false;
    }
  }
  /** Whether looks in a row find it so within that time. */
  async function comesTo(host: Host, wanted: boolean, within: number, signal: AbortSignal): Promise<boolean> {
    const until = performance.now() + within * 1_000;
    for (let same = 0; ; ) {
      same = (await answers(host, signal)) === wanted ? same + 1 : 0;
      if (same === (wanted ? 1 : looks)) return true;
      if (performance.now() > until) return false;
      await sleep(pause, undefined, { signal });
    }
  }
  const failed = (why: string): Problem => new Problem('not_fenced', why);

  return {
    /** A host that answers has power: where its BMC says otherwise, it is that of another one, and nothing is done by it. */
    async checkPower(tested: TestedMethod): Promise<void> {
      const { cancellationSignal: signal } = Context.current();
      const { host, method } = await under(tested);
      if (!(await answers(host, signal))) throw failed(`${host.name} does not answer, so nobody would see it go`);
      const power: Power = await ask((port) => port.status({ id: host._id, name: host.name }, method, signal));
      if (power === 'off')
        throw failed(
          `${methodText(method)} says that the host is off, and ${host.name} answers: it is another one that is turned off by it`,
        );
    },

    /** Turns it off, and sees it go. What is done is written down before: whoever comes after this run turns it on again. */
    async cutPower(tested: TestedMethod): Promise<void> {
      const { cancellationSignal: signal } = Context.current();
      const { host, method } = await under(tested);
      if (host.vm_count > 0) throw failed(`${host.name} has VMs by now`);
      await store.failovers.notePowerCut(host._id, tested.op, { methods: host.ha?.methods ?? '', at: tested.at });
      await ask((port) => port.off({ id: host._id, name: host.name }, method, signal));
      if (await comesTo(host, false, limits().going, signal)) return;
      throw failed(
        `${host.name} answers although it is off by ${methodText(method)}: it is another one that was turned off`,
      );
    },

    /** Turns it on, and waits until it answers. */
    async restorePower(tested: TestedMethod): Promise<void> {
      const { cancellationSignal: signal } = Context.current();
      const { host, method } = await under(tested);
      await ask((port) => port.on({ id: host._id, name: host.name }, method, signal));
      const { booting } = limits();
      if (!(await comesTo(host, true, booting, signal)))
        throw failed(
          `${host.name} was turned on by ${methodText(method)}, and has not answered for ${booting} s since`,
        );
      await store.failovers.notePowerCut(host._id, tested.op, null);
    },
  };
};
