import type { Service } from '../../schemas/services/service.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { Cluster } from '../support/cluster.js';
import { levels } from './cloud.js';
import {
  deployLarge,
  recreateInSlices,
  scaleAndRest,
  scaleBySchedule,
  scaleDown,
  scaleUp,
  undeployLarge,
  type Work,
} from './works.js';

/** A point in the life of one large service at which something is broken. */
export type Moment = {
  name: string;
  work: Work;
  /** Times of the simulator that make it long enough to be met. */
  times?: object;
  /** Done before the request, so that it is accepted and nobody can begin; undone once what was broken is mended. */
  hold?: (cluster: Cluster) => Promise<() => Promise<unknown>>;
  /** Whether it is now, by the documents: the service, and its VMs that are not DONE. */
  isNow: (service: Service, vms: readonly WorkVm[]) => boolean;
};

const inState = (vms: readonly WorkVm[], role: string, lcm: WorkVm['lcm_state']): number =>
  vms.filter((vm) => vm.service?.role === role && vm.lcm_state === lcm).length;

/** Nobody can have begun what is asked for. */
const heldWorkers: NonNullable<Moment['hold']> = async ({ workers }) => {
  for (const worker of workers) worker.freeze();
  return async () => {
    for (const worker of workers) worker.thaw();
  };
};

/** Those at which a tuned OpenNebula 6.10 lost VMs, or hung for good, when it was killed. */
export const moments: readonly Moment[] = [
  {
    name: 'accepted and still PENDING',
    work: deployLarge,
    hold: heldWorkers,
    isNow: ({ state }) => state === 'PENDING',
  },
  {
    name: 'while a role’s VMs are made',
    work: deployLarge,
    isNow: (_service, vms) => vms.some((vm) => vm.service?.role === 'cache'),
  },
  {
    name: 'VMs recorded and booting',
    work: deployLarge,
    times: { boot_ms: 1_500 },
    isNow: (_service, vms) => inState(vms, 'database', 'BOOT') === levels.database,
  },
  {
    name: 'between two roles',
    work: deployLarge,
    isNow: ({ roles }) => roles.some(({ name, state }) => name === 'database' && state === 'RUNNING'),
  },
  {
    name: 'undeploying',
    work: undeployLarge,
    times: { shutdown_ms: 1_500 },
    isNow: (_service, vms) => inState(vms, 'web', 'SHUTDOWN') > 0,
  },
];

/** In the middle of it: some run, and others do not yet. */
export const halfMade: Moment = {
  name: 'half of them made',
  work: scaleUp,
  times: { boot_ms: { min: 100, max: 3_000 } },
  isNow: (_service, vms) => inState(vms, 'web', 'BOOT') > 0 && inState(vms, 'web', 'RUNNING') > levels.web,
};

const isScaling = ({ roles }: Service): boolean => roles.some(({ state }) => state === 'SCALING');

/** Those at which a tuned OpenNebula lost a scaling without a word, and left VMs of nobody’s. */
export const scalingMoments: readonly Moment[] = [
  { name: 'asked for and not begun', work: scaleUp, hold: heldWorkers, isNow: isScaling },
  {
    name: 'recorded and booting',
    work: scaleUp,
    times: { boot_ms: 1_500 },
    isNow: (_service, vms) => inState(vms, 'web', 'BOOT') > 0,
  },
  halfMade,
  {
    name: 'being removed',
    work: scaleDown,
    times: { shutdown_ms: 1_500 },
    isNow: (_service, vms) => inState(vms, 'web', 'SHUTDOWN') > 0,
  },
  { name: 'in its cooldown', work: scaleAndRest, isNow: ({ state }) => state === 'COOLDOWN' },
  { name: 'as the schedule fires', work: scaleBySchedule, isNow: isScaling },
  { name: 'between two slices', work: recreateInSlices, isNow: (_service, vms) => areBetweenSlices(vms) },
];

/** All run, and some of them were made anew. */
function areBetweenSlices(vms: readonly WorkVm[]): boolean {
  const its = vms.filter((vm) => vm.service?.role === 'cache');
  const stays = new Set(its.map(({ history }) => history.length));
  return stays.size > 1 && inState(vms, 'cache', 'RUNNING') === levels.cache;
}

/** What nobody but reconciliation can start any more, when the api dies too. */
export const acceptedUnstarted: Moment = {
  name: 'accepted while Temporal is away',
  work: deployLarge,
  hold: async ({ servers: { temporal } }) => {
    await temporal.kill();
    return () => temporal.startAgain();
  },
  isNow: ({ state }) => state === 'PENDING',
};
