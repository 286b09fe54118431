import type { Engine } from '../../adapters/engine/port.js';
import type { DomainReport, HostTarget, Hypervisor } from '../../adapters/hypervisor/port.js';
import { domainName } from '../../domain/operations/names.js';
import { problemOf } from '../../domain/problems.js';
import { isClear, leftoversOf, leftoversText } from '../../domain/vms/leftovers.js';
import type { Store } from '../../store/store.js';
import { eachApart } from '../operations/each-apart.js';
import { resume } from '../operations/resume.js';

/** What is removed of one host in one look, and how much of it at a time. */
const most = 100;
const atOnce = 10;
/** How long removals of one look may take: what is left is for the next. */
const lasts = 8_000;

type Ports = { store: Store; engine: Engine; hypervisor: Pick<Hypervisor, 'destroy'>; signal: AbortSignal };

/**
 * Removes what a host that has just answered still runs of what is over; returns why it takes no VMs yet, or null when
 * there is nothing of that kind on it. `domains`: all that it has. What was removed is believed when the next look does
 * not find it any more. Said again, it goes on: a copy that is gone already is no error.
 */
export async function clearHost(
  { store, engine, hypervisor, signal }: Ports,
  host: { id: number; target: HostTarget },
  domains: readonly DomainReport[],
): Promise<string | null> {
  if (domains.length === 0) return null;
  // Read after the host has answered: what is written of a VM now is newer than what the host said of it.
  const known = await store.sightings.known(domains.map(({ vm }) => vm));
  const leftovers = leftoversOf(host.id, domains, new Map(known.map((vm) => [vm._id, vm])));
  if (isClear(leftovers)) return null;
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(lasts)]);
  const failures = [
    ...(await eachApart(leftovers.stale.slice(0, most), atOnce, ({ vm, epoch }) =>
      hypervisor.destroy({ id: vm, domain: domainName(vm), host: host.target, epoch, hard: true }, inTime),
    )),
    // Nobody but their operations ends these, which wait for this host to answer.
    ...(await eachApart(leftovers.leaving.slice(0, most), atOnce, ({ op }) => resume(store, engine, op))),
  ];
  signal.throwIfAborted();
  const [first] = failures;
  return leftoversText(leftovers, first ? (problemOf(first.error)?.message ?? 'it took too long') : null);
}
