import { Problem, problemOf } from '../../domain/problems.js';
import type { FencingMethod } from '../../schemas/hosts/fencing.js';
import { virshAt } from '../hypervisor/libvirt/virsh.js';
import { saidBy } from './said.js';
import type { Switch } from './switched.js';

type Nested = Extract<FencingMethod, { kind: 'libvirt' }>;

/** What libvirt calls a domain that has no power. One that is paused, suspended or shutting down has. */
const off: ReadonlySet<string> = new Set(['shut off', 'crashed']);

/** A host that is a domain of another libvirt. One that is not defined there is not known to be off: it may be somewhere else. */
export function domain({ uri, domain: name }: Nested): Switch {
  const virsh = virshAt(uri, name);
  async function said(words: readonly string[], signal: AbortSignal): Promise<string> {
    const { text, refusal } = await virsh.work(words, signal).catch((error: unknown) => {
      const problem = problemOf(error);
      throw problem ? new Problem('not_fenced', problem.message) : error;
    });
    if (refusal === null) return text;
    throw new Problem('not_fenced', saidBy(refusal, []));
  }
  return {
    name: `domain ${name}`,
    read: async (signal) => (off.has((await said(['domstate', '--domain', name], signal)).trim()) ? 'off' : 'on'),
    ask: async (power, signal) => void (await said([power === 'off' ? 'destroy' : 'start', '--domain', name], signal)),
  };
}
