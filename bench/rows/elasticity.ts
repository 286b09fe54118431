import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { elasticityActivities } from '../../activities/scaling/elasticity.js';
import { scheduleActivities } from '../../activities/scaling/schedules.js';
import { json } from '../../client/message.js';
import { entriesOf, scheduleOf } from '../../domain/services/schedule.js';
import { eachMetric } from '../../schemas/hosts/metrics.js';
import type { Role, Service } from '../../schemas/services/service.js';
import { ElasticityPolicy, ScheduledPolicy } from '../../schemas/services/service-template.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { deployingService } from '../../test/support/deploying-service.js';
import { madeVm } from '../../test/support/made-vm.js';
import type { Arcus } from '../arcus.js';
import type { Bench } from '../bench.js';
import { type Measured, type Result, range } from '../result.js';
import { type Summary, summarise } from '../summary.js';

const services = 1_000;
const vmsEach = 4;
const scheduled = 3_000;
const runs = 5;
/** Milliseconds between two ticks, of elasticity as it is set by default and of schedules. */
const tick = 10_000;
const change = { type: 'CHANGE', adjust: 1 } as const;
/** By hypervisor, by guest, and by both; none of them scales. */
const policies = ['max(CPU) > 90', 'REQUESTS > 100 & !(ERRORS = 0)', 'p95(CPU) < 5 | REQUESTS < 1'].map((expression) =>
  ElasticityPolicy.parse({ ...change, expression }),
);

/**
 * How long it takes from a metric over its threshold to the VM that it asks for; what a tick costs that looks at many
 * policies, and what one costs that finds many which are not due.
 */
export async function measureElasticity({ arcus }: Bench): Promise<Measured> {
  const results = [await grown(arcus), await looked(arcus), await atRest(arcus)];
  return { results, notes: [] };
}

/** From the request that writes a metric of a VM to the second VM that runs: at worst a whole period of the tick passes before it is seen. */
async function grown({ client, db, ...arcus }: Arcus): Promise<Result> {
  const policy = { ...change, expression: 'LOAD > 50', cooldown: 0 } as const;
  const taken: number[] = [];
  for (let run = 0; run < runs; run++) {
    const id = await arcus.deploy([
      { name: 'web', min_vms: 1, max_vms: 9, cooldown: 0, elasticity_policies: [policy] },
    ]);
    await arcus.reach([id], 'RUNNING');
    const running = { 'service.id': id, lcm_state: 'RUNNING' };
    const vm = await db.collection<{ _id: number }>('vms').findOne(running);
    const begun = performance.now();
    await client.send('PATCH', `/vms/${vm?._id}`, z.object({}), json({ user_template: { LOAD: 90 } }));
    while ((await db.collection('vms').countDocuments(running)) < 2) await sleep(10);
    taken.push(performance.now() - begun);
    await arcus.undeploy(id);
    await arcus.reach([id], 'DONE');
  }
  const took = summarise(taken);
  const goal = tick + 1_000;
  return {
    ...{ work: 'a metric over its threshold to the new VM running', runs, measured: range(took) },
    ...{ floor: null, ratio: null, goal: `< ${goal / 1_000} s: a tick, and a second`, met: took.max < goal },
  };
}

/** One tick looks at the three policies of each of a thousand services of four VMs, all of which hosts have just told of. */
async function looked({ mongodbUri }: Arcus): Promise<Result> {
  return inDatabase(mongodbUri, async (store) => {
    const took = await evaluateMany(store);
    const work = `${services.toLocaleString('en')} services × ${policies.length} policies looked at in one tick (${services * vmsEach} VMs)`;
    const line = { work, runs, measured: range(took), floor: null, ratio: null };
    return { ...line, goal: '< 2 s', met: took.median < 2_000 };
  });
}

/** What the tick takes of a core while three thousand scheduled policies wait for their times. */
async function atRest({ mongodbUri }: Arcus): Promise<Result> {
  return inDatabase(mongodbUri, async (store) => {
    const policy = ScheduledPolicy.parse({ ...change, recurrence: '0 3 * * *' });
    await store.services.model.insertMany(
      servicesWith(scheduled, { scheduled_policies: [policy] }).map((service) => ({
        ...service,
        schedule: scheduleOf(entriesOf(service.roles[0] ?? { name: '' }, null, clock()), null, clock()),
      })),
    );
    const { fireSchedules } = scheduleActivities({
      store,
      scaleByPolicy: () => Promise.reject(new Error('none was due')),
    });
    const taken: number[] = [];
    for (let run = 0; run <= runs; run++) {
      const begun = performance.now();
      const { looked } = await fireSchedules();
      if (run > 0) taken.push(performance.now() - begun);
      if (looked > 0) throw new Error(`${looked} schedules were due`);
    }
    const took = summarise(taken);
    const share = (took.median / tick) * 100;
    return {
      ...{
        work: `${scheduled.toLocaleString('en')} scheduled policies looked at, none due`,
        runs,
        measured: range(took),
      },
      ...{ floor: null, ratio: `${share.toFixed(2)} % of a core`, goal: '< 1.5 % of a core', met: share < 1.5 },
    };
  });
}
const clock = () => ({ zone: 'UTC', now: new Date() });

/** In a database that is gone afterwards. */
async function inDatabase<T>(uriOf: Arcus['mongodbUri'], work: (store: Store) => Promise<T>): Promise<T> {
  const connection = await connectMongodb(uriOf('arcus-bench-elasticity'));
  try {
    await bootstrapStore(connection);
    return await work(createStore(connection));
  } finally {
    await connection.dropDatabase();
    await connection.close();
  }
}

async function evaluateMany(store: Store): Promise<Summary> {
  await makeServices(store);
  const { evaluatePolicies } = elasticityActivities({
    store,
    settings: { vmNameTemplate: '', shutdownAction: 'terminate' },
    scaleByPolicy: () => Promise.reject(new Error('nothing was to be scaled')),
  });
  const taken: number[] = [];
  // The first time fills caches and makes the records, and is not counted.
  for (let run = 0; run <= runs; run++) {
    await tellOfVms(store);
    const begun = performance.now();
    const { looked, failed } = await evaluatePolicies();
    if (run > 0) taken.push(performance.now() - begun);
    if (looked !== services || failed > 0) throw new Error(`${looked} roles were looked at, ${failed} of them in vain`);
  }
  return summarise(taken);
}

async function makeServices(store: Store): Promise<void> {
  const all = servicesWith(services, { elasticity_policies: policies });
  await store.services.model.insertMany(all);
  const running = { state: 'ACTIVE', lcm_state: 'RUNNING', user_template: { REQUESTS: '50', ERRORS: 1 } } as const;
  await store.vms.model.insertMany(
    all.flatMap(({ _id: id, roles: [role] }) =>
      Array.from({ length: vmsEach }, (_, ordinal) =>
        madeVm({ _id: id * vmsEach + ordinal, ...running, service: { id, role: role?.name ?? '', ordinal } }),
      ),
    ),
  );
}

/** So many services that run, each of one role with these policies. */
const servicesWith = (count: number, its: Pick<Role, 'elasticity_policies' | 'scheduled_policies'>): Service[] =>
  Array.from({ length: count }, (_, id) => {
    const made = deployingService(id, '');
    const bounds = { state: 'RUNNING', cardinality: vmsEach, min_vms: 1, max_vms: 9 } as const;
    const roles = made.roles.slice(0, 1).map((role): Role => ({ ...role, ...bounds, ...its }));
    return { ...made, roles, state: 'RUNNING' as const, operation: null };
  });

const tellOfVms = (store: Store): Promise<void> =>
  store.metrics.add(
    Array.from({ length: services * vmsEach }, (_, vm) => {
      return { ...{ host: vm % 50, vm, epoch: 1, at: new Date() }, ...eachMetric(() => 0), cpu: 40, memory: 1 };
    }),
  );
