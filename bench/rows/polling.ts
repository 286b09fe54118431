import { MockActivityEnvironment } from '@temporalio/testing';
import type { Connection } from 'mongoose';
import { hostsPerPoll, monitoringActivities } from '../../activities/supervision/monitoring.js';
import { simulatedHypervisor } from '../../adapters/hypervisor/simulated/simulated.js';
import { pollEvery } from '../../domain/hosts/polls.js';
import { domainName } from '../../domain/operations/names.js';
import { portionsOf } from '../../domain/portions.js';
import type { HistoryRecord } from '../../schemas/vms/vm.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { idleEngine } from '../../test/support/idle-engine.js';
import { madeHost } from '../../test/support/made-host.js';
import { madeVm } from '../../test/support/made-vm.js';
import { simulatedHost } from '../../test/support/simulated-vm.js';
import type { Bench } from '../bench.js';
import { type Measured, range } from '../result.js';
import { summarise } from '../summary.js';

const hosts = 1_000;
const vmsEach = 20;
const runs = 5;
const size = { cpu: 10, memory: 64 };
const silent = 'poll-7';

/** Every host of a large zone is polled once, by the activities of one tick in one process: what a worker does every 20 s. */
export async function measurePolling({ arcus }: Bench): Promise<Measured> {
  const connection = await connectMongodb(arcus.mongodbUri('arcus-bench-polling'));
  try {
    const tick = await prepare(connection, arcus.simulator);
    await tick();
    const [wall, cpu]: [number[], number[]] = [[], []];
    for (let run = 0; run < runs; run++) {
      const used = process.cpuUsage();
      const { took, monitored } = await tick();
      const { user, system } = process.cpuUsage(used);
      if (monitored !== hosts) throw new Error(`${monitored} hosts were monitored`);
      wall.push(took);
      cpu.push((user + system) / 1_000);
    }
    await control(arcus.simulator, { hang: true });
    const hanging = await tick();
    await control(arcus.simulator, {});
    const all = summarise(wall);
    const work = `${hosts.toLocaleString('en')} hosts with ${(hosts * vmsEach).toLocaleString('en')} VMs polled once`;
    return {
      results: [
        {
          ...{ work, runs, measured: range(all), floor: null, ratio: null },
          ...{ goal: `< ${pollEvery({})} s`, met: all.max < pollEvery({}) * 1_000 },
        },
      ],
      notes: [
        `Polling: ${Math.round(summarise(cpu).median)} ms of CPU of the process that polls, each time; with one host that hangs, ${Math.round(hanging.took)} ms, and ${hanging.monitored} hosts monitored.`,
      ],
    };
  } finally {
    await connection.dropDatabase();
    await connection.close();
  }
}

/** `insistence` of the activity, which asks silent hosts again, is part of what is measured. */
async function prepare(connection: Connection, simulator: { url: string; token: string }) {
  await bootstrapStore(connection);
  const store: Store = createStore(connection);
  const hypervisor = simulatedHypervisor(simulator, await store.installation.id());
  const all = Array.from({ length: hosts }, (_, _id) => {
    const ids = Array.from({ length: vmsEach }, (_, at) => _id * vmsEach + at);
    return madeHost({
      ...{ _id, name: `poll-${_id}`, vms: Object.fromEntries(ids.map((id) => [id, size])), vm_count: vmsEach },
      used: { cpu: size.cpu * vmsEach, memory: size.memory * vmsEach },
    });
  });
  await store.hosts.model.insertMany(all);
  const placed = all.flatMap((host) => Object.keys(host.vms).map((id) => ({ id: Number(id), host })));
  for (const some of portionsOf(placed, 200)) {
    await store.vms.model.insertMany(
      some.map(({ id, host }) => {
        const stay: HistoryRecord = {
          ...{ seq: 0, hid: host._id, hostname: host.name, vm_mad: host.vm_mad, epoch: 1 },
          ...{ stime: new Date(), etime: null, reason: 'none' },
        };
        return madeVm({ _id: id, state: 'ACTIVE', lcm_state: 'RUNNING', capacity: size, history: [stay] });
      }),
    );
    await Promise.all(
      some.map(({ id, host }) =>
        hypervisor.deploy(
          {
            ...{ id, domain: domainName(id), host: simulatedHost(host.name, host.total), capacity: size, epoch: 1 },
            ...{ labels: { vm: id }, template: {} },
          },
          new AbortController().signal,
        ),
      ),
    );
  }
  const { monitorHosts } = monitoringActivities({ store, hypervisors: { of: () => hypervisor }, engine: idleEngine });
  const batches = portionsOf(
    all.map(({ _id }) => _id),
    hostsPerPoll,
  );
  const pollBatch = (ids: number[]): Promise<{ monitored: number }> =>
    new MockActivityEnvironment().run<[number[]], { monitored: number }, typeof monitorHosts>(monitorHosts, ids);
  return async (): Promise<{ took: number; monitored: number }> => {
    const begun = performance.now();
    const polled = await Promise.all(batches.map(pollBatch));
    const monitored = polled.reduce((sum, one) => sum + one.monitored, 0);
    return { took: performance.now() - begun, monitored };
  };
}

async function control({ url, token }: { url: string; token: string }, faults: object): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/hosts/${silent}/faults`, { method: 'PUT', headers, body: JSON.stringify(faults) });
  if (!answer.ok) throw new Error(`the simulator answered ${answer.status}`);
}
