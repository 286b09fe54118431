import { setTimeout as sleep } from 'node:timers/promises';
import { chance } from '../../../simulator/chance.js';
import { ByteServer, madeBytes } from '../../support/byte-server.js';
import { Cluster } from '../../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../../support/cluster-clouds.js';
import type { Machine } from '../shapes.js';
import { breaks } from './breaks.js';
import { type Asked, playClient } from './clients.js';
import { verdictOf } from './verdict.js';
import type { Pick, Templates } from './wish.js';

export type MixedRound = {
  seed: number;
  /** How long clients ask and things break. */
  seconds: number;
  clients: number;
  binaries?: Machine['binaries'];
  /** The data of a cluster with a violation stays. */
  keep?: boolean;
  say: (line: string) => void;
};

/**
 * Clients that ask for everything that there is (vm-wishes.ts and its neighbours) of the same services, VMs and hosts, on a
 * cloud too small for all of them, while processes are killed and frozen and hosts and guests fail. Returns a sentence for
 * everything that is not as it should be in the end.
 */
export async function playMixed({ seed, seconds, clients, binaries, keep, say }: MixedRound): Promise<string[]> {
  const source = await ByteServer.serve(madeBytes(2 * 2 ** 20));
  source.pause = 50;
  const cluster = await Cluster.start({
    workers: 2,
    apis: 2,
    environments: { worker: { ARCUS_SAFE_NETWORKS: '127.0.0.1' } },
    settings: { boot_ms: { min: 0, max: 1_000 }, shutdown_ms: { min: 0, max: 400 } },
    ...(binaries && { binaries }),
  });
  let violations: string[] = ['the round was broken off'];
  try {
    const hosts = await makeHosts(cluster.client, 3, 4);
    const templates = await makeTemplates(cluster, source);
    const until = Date.now() + seconds * 1_000;
    const goesOn = () => Date.now() < until;
    const [struck, ...lists] = await Promise.all([
      breakThings(cluster, { dice: diceOf(seed, 'breaks'), hosts, goesOn }),
      ...Array.from({ length: clients }, (_, at) =>
        playClient(cluster, { name: `client-${seed}-${at}`, dice: diceOf(seed, `client ${at}`), templates, goesOn }),
      ),
    ]);
    await mendAll(cluster, hosts, templates);
    const asked = lists.flat();
    say(`asked: ${tally(asked)}`);
    say(`broken: ${struck.join(', ')}`);
    violations = await verdictOf(cluster, asked);
    say(`ended: ${await tallyOfOperations(cluster)}`);
    return violations;
  } finally {
    if (keep && violations.length > 0) say(`its data is in ${cluster.directory}`);
    await cluster.stop({ keep: keep === true && violations.length > 0 });
    source.stop();
  }
}

async function makeTemplates({ client }: Cluster, { url }: ByteServer): Promise<Templates> {
  const levels = {
    roles: [
      { name: 'db', cardinality: 2 },
      { name: 'web', parents: ['db'], cardinality: 3 },
    ],
  };
  const asking = {
    deployment: 'none' as const,
    roles: [{ name: 'one', cardinality: 2, failure_policy: { retries: 1, finally: 'wait' } }, { name: 'two' }],
  };
  const later = {
    deployment: 'none' as const,
    roles: [
      { name: 'one', cardinality: 2, min_vms: 1, cooldown: 2 },
      { name: 'late', cardinality: 2, on_hold: true },
    ],
  };
  const address_ranges = [{ type: 'IP4', ip: '10.0.0.1', size: 4_096 }];
  await client.make('/virtual-networks', { name: 'public', address_ranges });
  const image = await client.accepted('POST', '/images', { name: 'system', source: { empty: { size_mb: 4 } } });
  await client.awaitOperation(image.id, 'succeeded');
  // Nobody takes it away from under those who make VMs of it; all others come and go.
  await setLocked(client, image.resource.id, true);
  const disk = { IMAGE_ID: image.resource.id };
  return {
    image: image.resource.id,
    imageSource: url,
    serviceTemplates: [
      await makeServiceTemplate(client, 'levels', levels),
      await makeServiceTemplate(client, 'asking', asking),
      await makeServiceTemplate(client, 'later', later),
    ],
    vmTemplate: await client.make('/vm-templates', { name: 'single', template: { CPU: 1, MEMORY: 256, DISK: [disk] } }),
  };
}

/** One thing after the other, a moment apart; returns the names of what was broken. */
async function breakThings(
  cluster: Cluster,
  { dice, hosts, goesOn }: { dice: () => number; hosts: readonly string[]; goesOn: () => boolean },
): Promise<string[]> {
  const pick: Pick = (items) => items[Math.floor(dice() * items.length)];
  const struck: string[] = [];
  for (; goesOn(); await sleep(dice() * 2_000)) {
    const next = pick(breaks);
    if (!next) continue;
    await next.strike(cluster, pick, hosts);
    struck.push(next.name);
  }
  return struck;
}

/** Everything serves, every host is well, and there is room for all who wait. */
async function mendAll(cluster: Cluster, hosts: readonly string[], { image }: Templates): Promise<void> {
  await cluster.startWhatEnded();
  await cluster.servers.mongodb.primary();
  for (const host of hosts) await cluster.simulator.send('PUT', `/hosts/${host}/faults`, {});
  await cluster.client.make('/hosts', { name: 'room-for-all', cpu: 512, memory: 1_048_576 });
  await setLocked(cluster.client, image, false);
}

async function setLocked(client: Cluster['client'], image: number, locked: boolean): Promise<void> {
  const { status } = await client.send('PATCH', `/images/${image}`, { locked });
  if (status !== 200) throw new Error(`image ${image} could not be ${locked ? 'locked' : 'unlocked'}: ${status}`);
}

const diceOf = (seed: number, whose: string): (() => number) => {
  let thrown = 0;
  return () => chance(seed, whose, thrown++);
};

const tally = (asked: readonly Asked[]): string =>
  `${asked.length}; ${counted(asked.map(({ name, status }) => `${name} ${status}`))}`;

async function tallyOfOperations({ store }: Cluster): Promise<string> {
  const all = await store.operations.model.find({}, { kind: 1, state: 1, error: 1 }).lean().exec();
  return counted(all.map(({ kind, state, error }) => `${kind} ${state}${error ? ` (${error.code})` : ''}`));
}

function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, times]) => `${times} × ${name}`)
    .join(', ');
}
