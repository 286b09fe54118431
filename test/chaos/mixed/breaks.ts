import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { SimulatedDomain } from '../../../schemas/hosts/simulator.js';
import type { Cluster } from '../../support/cluster.js';
import type { ClusterProcess } from '../../support/cluster-process.js';
import type { Pick } from './wish.js';

/** Breaks something and mends it again; what a host of the simulator has stays until the next, or the end. */
export type Break = { name: string; strike: (cluster: Cluster, pick: Pick, hosts: readonly string[]) => Promise<void> };

/** Longer than the heartbeat of a worker: its work is given to the other, and goes on here when it wakes. */
const longFreeze = 7_000;
/** Shorter than whatever gives up on a server. */
const shortFreeze = 3_000;

async function killed(...processes: readonly ClusterProcess[]): Promise<void> {
  await Promise.all(processes.map((process) => process.kill()));
  await Promise.all(processes.map((process) => process.startAgain()));
}

async function frozen(process: ClusterProcess, milliseconds: number): Promise<void> {
  process.freeze();
  await sleep(milliseconds);
  process.thaw();
}

const one = (pick: Pick, of: readonly ClusterProcess[]): ClusterProcess => {
  const process = pick(of);
  if (!process) throw new Error('there is no process of this kind');
  return process;
};

const HostWithDomains = z.object({ domains: z.array(SimulatedDomain) });

/** A guest that ends by itself, one way or the other. */
const guest = (state: 'stopped' | 'failed'): Break['strike'] => {
  return async ({ simulator }, pick, hosts) => {
    const host = pick(hosts);
    const { domains } = await simulator.ask(HostWithDomains, 'GET', `/hosts/${host}`);
    const domain = pick(domains.filter((each) => each.state === 'running'));
    if (domain) await simulator.send('PUT', `/hosts/${host}/vms/${domain.vm}`, { state });
  };
};

const faulty = (faults: object): Break['strike'] => {
  return async ({ simulator }, pick, hosts) => {
    await simulator.send('PUT', `/hosts/${pick(hosts)}/faults`, faults);
  };
};

export const breaks: readonly Break[] = [
  { name: 'a worker killed', strike: ({ workers }, pick) => killed(one(pick, workers)) },
  { name: 'a worker frozen', strike: ({ workers }, pick) => frozen(one(pick, workers), longFreeze) },
  { name: 'an api killed', strike: ({ apis }, pick) => killed(one(pick, apis)) },
  { name: 'an api frozen', strike: ({ apis }, pick) => frozen(one(pick, apis), shortFreeze) },
  { name: 'Temporal killed', strike: ({ servers }) => killed(servers.temporal) },
  { name: 'Temporal frozen', strike: ({ servers }) => frozen(servers.temporal, shortFreeze) },
  { name: 'MongoDB killed', strike: ({ servers }) => killed(...servers.mongodb.members) },
  { name: 'MongoDB frozen', strike: ({ servers }, pick) => frozen(one(pick, servers.mongodb.members), shortFreeze) },
  {
    name: 'the simulator killed',
    strike: async ({ simulator }) => {
      await simulator.end('SIGKILL');
      await simulator.startAgain();
    },
  },
  {
    name: 'workers, apis and servers killed at once',
    strike: ({ workers, apis, servers }) => killed(...servers.mongodb.members, servers.temporal, ...workers, ...apis),
  },
  { name: 'a host that errs', strike: faulty({ error_rate: 0.3 }) },
  { name: 'a host that refuses twice', strike: faulty({ deploy_error: { times: 2, retryable: false } }) },
  { name: 'a host that is well', strike: faulty({}) },
  {
    name: 'a host dead for a while',
    strike: async ({ simulator }, pick, hosts) => {
      const host = pick(hosts);
      await simulator.send('PUT', `/hosts/${host}/faults`, { dead: true });
      await sleep(shortFreeze);
      await simulator.send('PUT', `/hosts/${host}/faults`, { revive: pick(['stopped', 'running']) });
    },
  },
  { name: 'a guest that stops', strike: guest('stopped') },
  { name: 'a guest that crashes', strike: guest('failed') },
];
