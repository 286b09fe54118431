import type { Engine } from '../../adapters/engine/port.js';
import { problemOf } from '../../domain/problems.js';
import { isClear, leftoversOf, leftoversText } from '../../domain/vms/leftovers.js';
import type { Store } from '../../store/store.js';
import { eachApart } from '../operations/each-apart.js';
import { resume } from '../operations/resume.js';
import { type Answered, lookForStrays } from './strays.js';

/** Operations that one look sets going, and how many at a time. */
const most = 100;
const atOnce = 10;

type Ports = { store: Store; engine: Engine; signal: AbortSignal };

/**
 * Removes what a host that has just answered still runs of what is over, when a second look has found it too; returns why it takes
 * no VMs yet, or null when there is nothing of that kind on it. What was removed is believed when the next look does not find it
 * any more. Said again, it goes on.
 */
export async function clearHost({ store, engine, signal }: Ports, answered: Answered): Promise<string | null> {
  const { host, report } = answered;
  const failures = await lookForStrays(store, [answered], signal);
  if (report.domains.length === 0) return null;
  // Read after the host has answered: what is written of a VM now is newer than what the host said of it.
  const known = await store.sightings.known(report.domains.map(({ vm }) => vm));
  const leftovers = leftoversOf(host._id, report.domains, new Map(known.map((vm) => [vm._id, vm])));
  if (isClear(leftovers)) return null;
  // Nobody but their operations ends these, which wait for this host to answer.
  const [first] = await eachApart(leftovers.leaving.slice(0, most), atOnce, ({ op }) => resume(store, engine, op));
  signal.throwIfAborted();
  const failure = failures.get(host._id) ?? (first && (problemOf(first.error)?.message ?? 'it took too long'));
  return leftoversText(leftovers, failure ?? null);
}
