import type { Connection } from 'mongoose';
import { elasticityActivities } from '../../activities/scaling/elasticity.js';
import { eachMetric } from '../../schemas/hosts/metrics.js';
import type { Role } from '../../schemas/services/service.js';
import { ElasticityPolicy } from '../../schemas/services/service-template.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { deployingService } from '../../test/support/deploying-service.js';
import { madeVm } from '../../test/support/made-vm.js';
import type { Bench } from '../bench.js';
import { type Measured, range } from '../result.js';
import { type Summary, summarise } from '../summary.js';

const services = 1_000;
const vmsEach = 4;
const runs = 5;
const change = { type: 'CHANGE', adjust: 1 };
/** By hypervisor, by guest, and by both; none of them scales. */
const policies = ['max(CPU) > 90', 'REQUESTS > 100 & !(ERRORS = 0)', 'p95(CPU) < 5 | REQUESTS < 1'].map((expression) =>
  ElasticityPolicy.parse({ ...change, expression }),
);

/** One tick looks at the three policies of each of a thousand services of four VMs, all of which hosts have just told of. */
export async function measureElasticity({ arcus }: Bench): Promise<Measured> {
  const connection = await connectMongodb(arcus.mongodbUri('arcus-bench-elasticity'));
  try {
    const took = await evaluateMany(connection);
    const work = `${services.toLocaleString('en')} services × ${policies.length} policies looked at in one tick (${services * vmsEach} VMs)`;
    const line = { work, runs, measured: range(took), floor: null, ratio: null };
    return { results: [{ ...line, goal: '< 2 s', met: took.median < 2_000 }], notes: [] };
  } finally {
    await connection.dropDatabase();
    await connection.close();
  }
}

async function evaluateMany(connection: Connection): Promise<Summary> {
  await bootstrapStore(connection);
  const store = createStore(connection);
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
  const all = Array.from({ length: services }, (_, id) => {
    const made = deployingService(id, '');
    const bounds = { state: 'RUNNING', cardinality: vmsEach, min_vms: 1, max_vms: 9 } as const;
    const roles = made.roles.slice(0, 1).map((role): Role => ({ ...role, ...bounds, elasticity_policies: policies }));
    return { ...made, roles, state: 'RUNNING' as const, operation: null };
  });
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

const tellOfVms = (store: Store): Promise<void> =>
  store.metrics.add(
    Array.from({ length: services * vmsEach }, (_, vm) => {
      return { ...{ host: vm % 50, vm, epoch: 1, at: new Date() }, ...eachMetric(() => 0), cpu: 40, memory: 1 };
    }),
  );
