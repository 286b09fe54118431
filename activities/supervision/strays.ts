import { log } from '@temporalio/activity';
import type { DomainReport, HostReport, HostTarget, Hypervisor } from '../../adapters/hypervisor/port.js';
import { domainName } from '../../domain/operations/names.js';
import { problemOf } from '../../domain/problems.js';
import { judgeStrays, reasonOf, seenOf } from '../../domain/vms/zombies.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { StoredZombie } from '../../schemas/hosts/strays.js';
import type { Store } from '../../store/store.js';
import { eachApart } from '../operations/each-apart.js';

/** What is removed of one host in one look, and how much of it at a time. */
const most = 100;
const atOnce = 10;
/** How long removals of one look may take: what is left is for the next. */
const lasts = 8_000;

/** A host that has answered, as it was before it was asked. */
export type Answered = {
  host: Omit<Host, 'vms'>;
  target: HostTarget;
  hypervisor: Pick<Hypervisor, 'destroy' | 'disown'>;
  report: HostReport;
};

/**
 * Domains that should not be on these hosts: writes down what there is, and removes what two looks have found and nobody needs
 * to be asked about. Said again, it goes on: a copy that is gone already is no error. Returns why something could not be removed,
 * by host.
 */
export async function lookForStrays(
  store: Store,
  answered: readonly Answered[],
  signal: AbortSignal,
): Promise<Map<number, string>> {
  const failures = new Map<number, string>();
  const ours = answered
    .filter(({ report }) => report.domains.length + report.wilds.length > 0)
    .map(({ host }) => host._id);
  // Read after the hosts have answered: what is written now is newer than what they said.
  const reserved = ours.length > 0 ? await store.hosts.reservedOn(ours) : new Map<number, ReadonlySet<number>>();
  const suspects = new Map(
    answered.map(({ host, report }) => [
      host._id,
      report.domains.filter(({ vm }) => reserved.get(host._id)?.has(vm) !== true),
    ]),
  );
  const ids = [...new Set([...suspects.values()].flatMap((domains) => domains.map(({ vm }) => vm)))];
  const known = new Map((ids.length > 0 ? await store.sightings.known(ids) : []).map((vm) => [vm._id, vm]));
  const unknown = ids.filter((id) => !known.has(id));
  // As after a backup was put back: a VM that is made now must not be taken for one of those.
  if (unknown.length > 0) await store.counters.above('vm', Math.max(...unknown));
  // What is about to be imported has its place already, and what has just been is wild no longer.
  const wild = answered.filter(({ report }) => report.wilds.length > 0);
  const imported =
    wild.length === 0
      ? new Set<string>()
      : await store.sightings.deployed(
          wild.flatMap(({ host }) => [...(reserved.get(host._id) ?? [])]),
          wild.flatMap(({ report }) => report.wilds.map(({ deployId }) => deployId)),
        );
  const inTime = abortedAfter(signal, lasts);
  const clean = async (one: Answered): Promise<void> => {
    const found = (suspects.get(one.host._id) ?? []).flatMap((domain: DomainReport) => {
      const reason = reasonOf(one.host._id, domain, known.get(domain.vm));
      return reason === null ? [] : [{ domain, reason }];
    });
    const wilds = one.report.wilds.filter(({ deployId }) => !imported.has(deployId));
    const { strays, outside, remove } = judgeStrays(seenOf(one.host), found, wilds, new Date());
    const heard = new Map(found.map(({ domain }) => [domain.vm, domain.heard]));
    const failed = await eachApart(remove.slice(0, most), atOnce, ({ vm, epoch, reason }) => {
      const target = { id: vm, domain: domainName(vm), host: one.target, epoch: heard.get(vm) ?? epoch };
      return reason === 'not_imported'
        ? one.hypervisor.disown(target, inTime)
        : one.hypervisor.destroy({ ...target, hard: true }, inTime);
    });
    signal.throwIfAborted();
    for (const zombie of remove) zombie.error = errorOf(failed.find(({ item }) => item === zombie));
    const [first] = failed;
    if (first) failures.set(one.host._id, errorOf(first) ?? '');
    if (remove.length > 0)
      log.info('removed domains that should not be there', { host: one.host.name, vms: remove.map(({ vm }) => vm) });
    const before = one.host.strays ?? null;
    if (JSON.stringify(before) !== JSON.stringify(strays) || (one.host.condemned?.length ?? 0) > 0)
      await store.hosts.setStrays(one.host._id, before, { strays, outside });
  };
  await Promise.all(answered.map(clean));
  return failures;
}

const errorOf = (failed: { item: StoredZombie; error: unknown } | undefined): string | null =>
  failed ? (problemOf(failed.error)?.message ?? 'it took too long') : null;
