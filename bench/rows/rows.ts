import { type Bench, oneRole, tenVms } from '../bench.js';
import type { Population } from '../population.js';
import type { Measured } from '../result.js';
import { measureActions } from './actions.js';
import { type Deployment, measureDeployment } from './deployment.js';
import { measureElasticity } from './elasticity.js';
import { measureFailover } from './failover.js';
import { measureGrowth } from './growth.js';
import { measureHostile } from './hostile.js';
import { measureLeases } from './leases.js';
import { measureList } from './list.js';
import { measurePlacement } from './placement.js';
import { measurePolling } from './polling.js';
import { measureRest } from './rest.js';
import { measureScaling } from './scaling.js';
import { measureShow } from './show.js';
import { measureTurns } from './turns.js';
import { measureWide } from './wide.js';

/** What `--only` names. Rows that leave a populated cloud behind come after those that want an empty one. */
export type Row = { name: string; measure: (bench: Bench, population: Population) => Promise<Measured> };

const deployments: readonly Deployment[] = [
  {
    ...{ name: 'ten', work: 'ten VMs, straight, three levels', roles: tenVms, services: 1, runs: 9 },
    ...{ below: 500, timesFloor: 2 },
  },
  { name: 'role-50', work: 'one role × 50', roles: oneRole(50), services: 1, runs: 5, below: 800 },
  {
    ...{ name: 'role-200', work: 'one role × 200', roles: oneRole(200), services: 1, runs: 5, below: 2_500 },
    linearTo: { row: 'role-50', vms: 50 },
  },
  {
    ...{ name: 'role-1000', work: 'one role × 1,000', roles: oneRole(1_000), services: 1, runs: 3, below: 10_000 },
    linearTo: { row: 'role-200', vms: 200 },
  },
  { name: 'many', work: '50 services × 4 VMs at once', roles: oneRole(4), services: 50, runs: 3, below: 7_000 },
];

export const rows: readonly Row[] = [
  ...deployments.map((deployment) => ({
    name: deployment.name,
    measure: (bench: Bench) => measureDeployment(bench, deployment),
  })),
  { name: 'scaling', measure: measureScaling },
  { name: 'actions', measure: measureActions },
  { name: 'wide', measure: measureWide },
  { name: 'placement', measure: measurePlacement },
  { name: 'leases', measure: measureLeases },
  { name: 'elasticity', measure: measureElasticity },
  { name: 'polling', measure: measurePolling },
  { name: 'failover', measure: measureFailover },
  { name: 'show', measure: measureShow },
  { name: 'growth', measure: measureGrowth },
  { name: 'hostile', measure: measureHostile },
  { name: 'turns', measure: measureTurns },
  { name: 'rest', measure: measureRest },
  { name: 'list', measure: measureList },
];
