import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scheduleIds } from '../../adapters/engine/names.js';
import { type TemporalEngine, temporalEngine } from '../../adapters/engine/temporal.js';
import { flaws } from '../../domain/consistency/flaws.js';
import { namespaces } from '../../schemas/config.js';
import { ConsistencyCheckResource, FindingCode } from '../../schemas/consistency/consistency.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency } from '../support/cluster-consistency.js';
import { ensurePrograms } from '../support/programs.js';
import { type Done, damages as otherDamages } from './fsck-damages.js';
import { imageDamages } from './fsck-image-damages.js';
import { marketDamages } from './fsck-market-damages.js';

const damages = [...otherDamages, ...imageDamages, ...marketDamages];

describe('a check of consistency', () => {
  let cluster: Cluster;
  let engine: TemporalEngine;
  let [template, gated] = [-1, -1];
  /** VMs that a damage has given a second domain. */
  let doubled: number[] = [];
  let datastores: string;
  beforeAll(async () => {
    ensurePrograms('disks');
    datastores = mkdtempSync(join(tmpdir(), 'arcus-fsck-'));
    const worker = { ARCUS_DATASTORES: datastores, ARCUS_MARKET_DIRS: datastores };
    cluster = await Cluster.start({ settings: { boot_ms: 50, shutdown_ms: 50 }, environments: { worker } });
    engine = temporalEngine({ address: cluster.temporal.address });
    await makeHosts(cluster.client, 3, 64, 65_536);
    const roles = [{ name: 'front', cardinality: 2 }];
    template = await makeServiceTemplate(cluster.client, 'plain', { roles });
    gated = await makeServiceTemplate(cluster.client, 'gated', { gate: true, roles: [{ name: 'front' }] });
  });
  afterAll(async () => {
    await engine?.close();
    await cluster?.stop();
    rmSync(datastores, { recursive: true, force: true });
  });

  async function check(repair: boolean): Promise<ConsistencyCheckResource> {
    const { id } = await cluster.client.accepted('POST', '/consistency-checks', { repair });
    await cluster.client.awaitOperation(id, 'succeeded', 'failed', 'cancelled');
    const report = await cluster.client.ask(ConsistencyCheckResource, 'GET', `/consistency-checks/${id}`);
    expect(report.state).toBe('succeeded');
    return report;
  }

  it('finds nothing while services come and go', async () => {
    const going = { on: true };
    const reports: ConsistencyCheckResource[] = [];
    const checks = (async () => {
      while (going.on) reports.push(await check(false));
    })();
    const lives = Array.from({ length: 4 }, async () => {
      for (let life = 0; life < 4; life++) {
        const id = await cluster.client.instantiate(template);
        if (life % 2 === 0) await cluster.client.awaitService(id, 'RUNNING');
        await cluster.client.accepted('POST', `/services/${id}/undeploy`, {});
        await cluster.client.awaitService(id, 'DONE');
      }
    });
    await Promise.all(lives).finally(() => {
      going.on = false;
    });
    await checks;
    expect(reports.flatMap(({ findings }) => findings)).toEqual([]);
    expect(reports.length).toBeGreaterThan(1);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('finds every damage, repairs what it says to repair, and then finds only what it leaves to people', async () => {
    expect(damages.map(({ code }) => code).sort()).toEqual([...FindingCode.options].sort());
    await pauseTicks(cluster);
    const services = await Promise.all(damages.map(() => cluster.client.instantiate(template)));
    await Promise.all(services.map((id) => cluster.client.awaitService(id, 'RUNNING')));

    const done: (Done & { code: FindingCode })[] = [];
    // A new host is monitored at once, and with it the others: domains that are to be missed go last.
    const isOfDomains = (code: FindingCode) => Number(code.startsWith('domain_'));
    const inOrder = [...damages.entries()].sort(
      ([, one], [, other]) => isOfDomains(one.code) - isOfDomains(other.code),
    );
    for (const [at, { code, bringAbout }] of inOrder)
      done.push({ code, ...(await bringAbout({ cluster, engine, datastores, service: services[at] ?? -1, gated })) });
    doubled = done.flatMap(({ code, resource }) =>
      code === 'domain_elsewhere' || code === 'domain_orphaned' ? [Number(resource.id)] : [],
    );
    const expected = (outcomeOf: (code: FindingCode) => string) =>
      done.map(({ code, resource }) => `${code} of ${resource.type} ${resource.id}: ${outcomeOf(code)}`).sort();
    const seen = ({ findings }: ConsistencyCheckResource) =>
      findings.map(({ code, resource, outcome }) => `${code} of ${resource.type} ${resource.id}: ${outcome}`);

    // Younger operations are left to whoever admitted them.
    await sleep(3_500);
    const first = await check(false);
    expect(seen(first)).toEqual(expect.arrayContaining(expected(() => 'found')));

    const second = await check(true);
    const isRepairable = (code: FindingCode) => flaws[code].repair !== null;
    expect(seen(second)).toEqual(
      expect.arrayContaining(expected((code) => (isRepairable(code) ? 'repaired' : 'found'))),
    );
    expect(second.findings.filter(({ outcome }) => outcome === 'failed' || outcome === 'gone')).toEqual([]);
    const left = done.filter(({ code }) => !isRepairable(code));
    // The VM of which the documents do not know the host runs on one: nobody may take its domain from it.
    const placeless = left.filter(({ code }) => code === 'vm_without_host');
    const told = [...left, ...placeless.map(({ resource }) => ({ code: 'domain_doubtful', resource }))];
    expect(
      seen(second)
        .filter((finding) => finding.endsWith(': found'))
        .sort(),
    ).toEqual(told.map(({ code, resource }) => `${code} of ${resource.type} ${resource.id}: found`).sort());
    expect(second.left).toBe(told.length);

    for (const { mend } of done) await mend?.();
    expect((await check(true)).left).toBe(0);
    expect((await check(false)).findings).toEqual([]);
  });

  it('leaves a cloud from which everything can be removed without a trace', async () => {
    const all = await cluster.store.services.model
      .find({ state: { $ne: 'DONE' } }, { _id: 1 })
      .lean()
      .exec();
    for (const { _id } of all) {
      const { id } = await cluster.client.accepted('DELETE', `/services/${_id}`);
      expect(await cluster.client.awaitOperation(id, 'succeeded', 'failed')).toMatchObject({ state: 'succeeded' });
    }
    expect(await checkConsistency(cluster, { replaced: doubled })).toEqual([]);
    expect((await check(false)).findings).toEqual([]);
  });
});

/** Otherwise reconciliation and monitoring would mend some of the damage before anybody has looked. */
async function pauseTicks({ temporal }: Cluster): Promise<void> {
  const connection = await Connection.connect({ address: temporal.address });
  const { schedule } = new Client({ connection, namespace: namespaces.ticks });
  for (const id of [scheduleIds.reconcile, scheduleIds.monitorHosts]) await schedule.getHandle(id).pause();
  await connection.close();
}
