import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { openStates } from '../../../domain/operation-states.js';
import { SimulatedDomain, SimulatedHosts } from '../../../schemas/hosts/simulator.js';
import type { Operation } from '../../../schemas/operations/operation.js';
import { OperationResource } from '../../../schemas/operations/operation-resource.js';
import type { Cluster } from '../../support/cluster.js';
import { checkConsistency } from '../../support/cluster-consistency.js';
import type { ClusterProcess } from '../../support/cluster-process.js';
import { askFsck } from '../ask-fsck.js';
import type { Asked } from './clients.js';

/** How long operations may take to end once nothing is broken any more, and what is deleted to be gone. */
const patience = 180_000;

/** A sentence for everything that is not as it should be once nothing is broken any more and nobody asks for anything. */
export async function verdictOf(cluster: Cluster, asked: readonly Asked[]): Promise<string[]> {
  return [
    ...(await awaitEnds(cluster)),
    ...(await enableHosts(cluster)),
    ...(await checkAnswers(cluster, asked)),
    ...(await checkAgreement(cluster)),
    ...(await deleteAll(cluster)),
    ...(await checkNothingLeft(cluster)),
    ...(await checkAgreement(cluster)),
  ];
}

/** Whatever asks a person is answered, what was scheduled is done or refused, and everything ends. */
async function awaitEnds(cluster: Cluster): Promise<string[]> {
  const { store, client } = cluster;
  for (const until = Date.now() + patience; ; await sleep(100)) {
    const open = await store.operations.model
      .find({ state: { $in: openStates } })
      .lean()
      .exec();
    const due = await store.vms.model
      .find({ state: { $ne: 'DONE' }, 'schedule.due_at': { $ne: null } }, { schedule: 1 })
      .lean()
      .exec();
    if (open.length + due.length === 0) return [];
    if (Date.now() > until)
      return [
        ...(await Promise.all(open.map((operation) => whereItStands(cluster, operation)))),
        ...due.map(({ _id, schedule }) => `what was scheduled of VM ${_id} is still due: ${JSON.stringify(schedule)}`),
      ];
    for (const { _id, state } of open)
      if (state === 'waiting_for_you') await client.send('POST', `/operations/${_id}/answer`, { answer: 'give_up' });
  }
}

/** Those that clients have taken offline are looked at again: nobody has seen meanwhile what became of their VMs. */
async function enableHosts({ client }: Cluster): Promise<string[]> {
  const { items } = await client.ask(Page, 'GET', '/hosts?limit=1000');
  const enabled = async (id: number) => {
    const { status, body } = await client.send('PATCH', `/hosts/${id}`, { state: 'enabled' });
    return status === 200 ? [] : [`host ${id} cannot be enabled: ${JSON.stringify(body)}`];
  };
  return (await Promise.all(items.map(({ id }) => enabled(id)))).flat();
}

/** Of an operation that has not ended: what it is in the middle of, and how the workers are. */
async function whereItStands({ store, workers }: Cluster, { _id, kind, state }: Operation): Promise<string> {
  const steps = (await store.steps.ofOperation(_id, 200)).filter((step) => step.state === 'running');
  const at = steps.map(({ name, attempts, started_at, error }) =>
    [name, `since ${started_at.toISOString()}`, `try ${attempts}`, error?.detail].filter(Boolean).join(', '),
  );
  const ready = workers.map(conditionOf);
  const now = new Date().toISOString();
  return `operation ${_id} (${kind}) is still ${state} at ${now}: ${at.join('; ') || 'in no step'}; workers ${ready.join(', ')}`;
}

/** What its system says of a process: S, it sleeps; R, it runs; T, it is frozen. */
const conditionOf = (worker: ClusterProcess): string =>
  worker.hasEnded ? 'has ended' : (/\) (\w) /.exec(readFileSync(`/proc/${worker.pid}/stat`, 'utf8'))?.[1] ?? '?');

/** What was accepted is there, once; what was refused has left nothing; and nobody was left without an answer. */
async function checkAnswers({ store }: Cluster, asked: readonly Asked[]): Promise<string[]> {
  const stored = await store.operations.model.find({}, { idempotency_key: 1 }).lean().exec();
  const byKey = new Map<string | null, string[]>();
  for (const { _id, idempotency_key: key } of stored) byKey.set(key, [...(byKey.get(key) ?? []), _id]);
  return asked.flatMap(({ key, name, path, status, operation, admits }) => {
    const what = `${name} (${path})`;
    const there = byKey.get(key) ?? [];
    if (status === null || status >= 500) return [`${what} had no answer but ${status}`];
    if (!admits) return there.length === 0 ? [] : [`${what} made operation ${there.join(', ')}`];
    if (status === 202)
      return there.length === 1 && there[0] === operation
        ? []
        : [`${what} was promised ${operation}, and there is ${there.join(', ') || 'nothing'}`];
    return there.length === 0 ? [] : [`${what} was refused with ${status}, but left ${there.join(', ')}`];
  });
}

/** Documents, runs, hosts and fsck agree, and no domain was made twice for one epoch of its VM. */
async function checkAgreement(cluster: Cluster): Promise<string[]> {
  const ids = await cluster.store.vms.model.distinct('_id').exec();
  return [
    // Made again on purpose, by recoveries; that each epoch was made once is looked at below.
    ...(await checkConsistency(cluster, { replaced: ids })),
    ...(await checkEpochs(cluster)),
    ...(await askFsck(cluster)),
  ];
}

async function checkEpochs({ simulator }: Cluster): Promise<string[]> {
  const made = new Map<string, number>();
  for (const { call, vm, epoch, outcome } of await simulator.journal()) {
    const name = `VM ${vm} of epoch ${epoch}`;
    if (call === 'deploy' && (outcome === 'created' || outcome === 'replaced'))
      made.set(name, (made.get(name) ?? 0) + 1);
  }
  return [...made].filter(([, times]) => times > 1).map(([name, times]) => `${name} was made ${times} times`);
}

const Page = z.object({ items: z.array(z.object({ id: z.int() })) });

/** Asks for the end of everything until all is gone; what is at work already may refuse. */
async function deleteAll(cluster: Cluster): Promise<string[]> {
  const { client } = cluster;
  for (const until = Date.now() + patience; ; await sleep(250)) {
    const services = (await client.ask(Page, 'GET', '/services?limit=1000')).items;
    const done = (await client.ask(Page, 'GET', '/services?limit=1000&state=DONE')).items;
    const vms = (await client.ask(Page, 'GET', '/vms?limit=1000')).items;
    const images = (await client.ask(Page, 'GET', '/images?limit=1000')).items;
    if (services.length + done.length + vms.length + images.length === 0) return [];
    if (Date.now() > until)
      return [
        ...[...services, ...done].map(({ id }) => `service ${id} cannot be deleted`),
        ...vms.map(({ id }) => `VM ${id} cannot be terminated`),
        ...images.map(({ id }) => `image ${id} cannot be deleted`),
      ];
    const requests = [
      ...[...services, ...done].map(({ id }) => client.send('DELETE', `/services/${id}`)),
      // Those of services go with these.
      ...(services.length === 0
        ? vms.map(({ id }) => client.send('POST', `/vms/${id}/terminate`, { hard: true }))
        : []),
      // VMs use them to their end.
      ...(services.length + vms.length === 0 ? images.map(({ id }) => client.send('DELETE', `/images/${id}`)) : []),
    ];
    const accepted = (await Promise.all(requests)).filter(({ status }) => status === 202);
    for (const { body } of accepted) {
      const { id } = OperationResource.parse(body);
      const ended = await client.awaitOperation(id, 'succeeded', 'failed', 'cancelled').then(
        () => true,
        () => false,
      );
      const operation = ended ? null : await cluster.store.operations.find(id);
      if (operation) return [await whereItStands(cluster, operation)];
    }
  }
}

const HostWithDomains = z.object({ domains: z.array(SimulatedDomain) });

/** Neither a document that goes on, nor a reservation, nor a domain, and every host can be removed. */
async function checkNothingLeft({ store, client, simulator }: Cluster): Promise<string[]> {
  const findings: string[] = [];
  for (const { _id, state } of await store.vms.model
    .find({ state: { $ne: 'DONE' } })
    .lean()
    .exec())
    findings.push(`VM ${_id} is left ${state}`);
  for (const { _id } of await store.services.model.find().lean().exec()) findings.push(`service ${_id} is left`);
  for (const { _id, state } of await store.images.model.find().lean().exec())
    findings.push(`image ${_id} is left ${state}`);
  for (const { _id, vms, used } of await store.hosts.model.find().lean().exec())
    if (Object.keys(vms).length > 0 || used.cpu !== 0 || used.memory !== 0)
      findings.push(
        `host ${_id} holds ${used.cpu}/${used.memory} for VMs ${Object.keys(vms).join(', ') || 'of nobody'}`,
      );
  const { items } = await simulator.ask(SimulatedHosts, 'GET', '/hosts');
  for (const { name } of items) {
    const { domains } = await simulator.ask(HostWithDomains, 'GET', `/hosts/${encodeURIComponent(name)}`);
    findings.push(...domains.map(({ vm, state }) => `${name} still has the domain of VM ${vm}, ${state}`));
  }
  for (const { id } of (await client.ask(Page, 'GET', '/hosts?limit=1000')).items) {
    const { status, body } = await client.send('DELETE', `/hosts/${id}`);
    if (status >= 300) findings.push(`host ${id} cannot be removed: ${JSON.stringify(body)}`);
  }
  return findings;
}
