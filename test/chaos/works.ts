import { type Cloud, largeVms, levels, smallVms } from './cloud.js';
import type { Wish } from './requests.js';

/** What goes on while something is broken. */
export type Work = {
  name: string;
  /** Milliseconds that it takes when nothing is broken, or a little more: a random moment is one of these. */
  span: number;
  /** Where its services end. */
  aim: 'RUNNING' | 'DONE';
  /** VMs of each service. */
  vms: number;
  /** VMs that were there and end on the way. */
  ended?: number;
  /** Gets ready, and says what is to be asked for, and of which service that is there. */
  prepare: (cloud: Cloud) => Promise<{ wishes: Wish[]; of?: number }>;
  /** It is where it leads when the next look at its service says so, and not when the operations end. */
  settles?: true;
  /** What was begun of a service without being asked for then, and is waited for. */
  begun?: (cloud: Cloud, service: number) => Promise<string[]>;
};

const instantiate = (template: number): Wish => ({ path: `/service-templates/${template}/instantiate` });

export const deployLarge: Work = {
  name: '30 VMs deploy',
  span: 2_000,
  aim: 'RUNNING',
  vms: largeVms,
  prepare: async ({ large }) => ({ wishes: [instantiate(large)] }),
};

export const undeployLarge: Work = {
  name: '30 VMs undeploy',
  span: 2_000,
  aim: 'DONE',
  vms: largeVms,
  prepare: async (cloud) => {
    const of = await cloud.running();
    return { wishes: [{ path: `/services/${of}/undeploy` }], of };
  },
};

export const deployMany: Work = {
  name: '20 services deploy',
  span: 3_500,
  aim: 'RUNNING',
  vms: smallVms,
  prepare: async ({ small }) => ({ wishes: Array.from({ length: 20 }, () => instantiate(small)) }),
};

/** VMs of each role that have failed, or that are to be made anew. */
const some: Record<keyof typeof levels, number> = { database: 2, cache: 3, web: 5 };

export const repairLarge: Work = {
  name: '10 of 30 VMs repaired',
  span: 1_500,
  aim: 'RUNNING',
  vms: largeVms,
  ended: 10,
  prepare: async (cloud) => {
    const of = await cloud.running();
    const { client, store } = cloud.cluster;
    const vms = await vmsOf(cloud, of, some);
    // Not BOOT_FAILURE: their domains run, and monitoring would see that.
    await store.vms.model.updateMany({ _id: { $in: vms } }, { $set: { lcm_state: 'PROLOG_FAILURE' } });
    await store.health.refresh([of]);
    await client.awaitService(of, 'WARNING');
    return { wishes: [{ path: `/services/${of}/repair` }], of };
  },
};

export const recreateSome: Work = {
  name: '10 of 30 VMs recreated',
  span: 2_500,
  aim: 'RUNNING',
  vms: largeVms,
  prepare: async (cloud) => {
    const of = await cloud.running();
    const vms = await vmsOf(cloud, of, some);
    for (const vm of vms) cloud.recreated.set(vm, (cloud.recreated.get(vm) ?? 0) + 1);
    return { wishes: vms.map((vm) => ({ path: `/vms/${vm}/recover`, body: { action: 'recreate' } })), of };
  },
  settles: true,
};

/** So many VMs of each role of a service. */
async function vmsOf({ cluster: { store } }: Cloud, service: number, wish: typeof some): Promise<number[]> {
  const vms = await store.vms.ofService(service);
  return Object.entries(wish).flatMap(([role, count]) =>
    vms
      .filter((vm) => vm.service?.role === role)
      .slice(0, count)
      .map(({ _id }) => _id),
  );
}

const scaled = 10;
const webOf = (service: number): string => `/services/${service}/roles/web`;

export const scaleUp: Work = {
  name: '10 of 40 VMs added to a role',
  span: 1_500,
  aim: 'RUNNING',
  vms: largeVms + scaled,
  prepare: async (cloud) => {
    const of = await cloud.running();
    return { wishes: [{ path: `${webOf(of)}/scale`, body: { cardinality: levels.web + scaled } }], of };
  },
};

export const scaleDown: Work = {
  name: '10 of 30 VMs taken from a role',
  span: 1_500,
  aim: 'RUNNING',
  vms: largeVms - scaled,
  ended: scaled,
  prepare: async (cloud) => {
    const of = await cloud.running();
    return { wishes: [{ path: `${webOf(of)}/scale`, body: { cardinality: levels.web - scaled } }], of };
  },
};

/** Seconds; reconciliation says that it is over. */
const rest = 5;

export const scaleAndRest: Work = {
  ...scaleUp,
  name: '10 of 40 VMs added to a role, which rests',
  span: 8_000,
  prepare: async (cloud) => {
    const wish = await scaleUp.prepare(cloud);
    const roles = { arrayFilters: [{ 'role.name': 'web' }] };
    const cooldown = { 'roles.$[role].cooldown': rest };
    await cloud.cluster.store.services.model.updateOne({ _id: wish.of }, { $set: cooldown }, roles);
    return wish;
  },
  settles: true,
};

/** Nobody asks for it then: it is due two seconds later, and looked at within ten more. */
export const scaleBySchedule: Work = {
  ...scaleUp,
  name: '10 of 40 VMs added by a schedule',
  span: 14_000,
  prepare: async (cloud) => {
    const of = await cloud.running();
    const start_time = new Date(Date.now() + 2_000).toISOString();
    const scheduled_policies = [{ start_time, type: 'CHANGE', adjust: scaled }];
    const { status } = await cloud.cluster.client.send('PUT', `${webOf(of)}/schedules`, { scheduled_policies });
    if (status !== 200) throw new Error(`the schedule of service ${of} was answered ${status}`);
    return { wishes: [], of };
  },
  begun: async ({ cluster: { store } }, service) =>
    (await store.services.find(service))?.schedule?.of.flatMap(({ last }) => last?.operation ?? []) ?? [],
};

/** VMs of a slice, and of the role that it is one of. */
const slice = 3;

/** A rolling action: nobody has the role between two slices. Each VM of the role is made once more, and none twice. */
export const recreateInSlices: Work = {
  name: '9 of 30 VMs recreated, 3 at a time',
  span: 5_000,
  aim: 'RUNNING',
  vms: largeVms,
  prepare: async (cloud) => {
    const { client, store } = cloud.cluster;
    // One of which no VM was made anew before: by that the moment between two slices is told.
    const of = await client.instantiate(cloud.large);
    await client.awaitService(of, 'RUNNING');
    for (const { _id } of await store.vms.ofService(of, ['cache'])) cloud.recreated.set(_id, 1);
    const body = { action: 'recreate', number: slice, period: 2 };
    return { wishes: [{ path: `/services/${of}/roles/cache/actions`, body }], of };
  },
  settles: true,
  begun: async ({ cluster: { store } }, service) => {
    const asked = { kind: 'performOnRole' as const, 'resource.id': service };
    const all = await store.operations.model.find(asked, { performed: 1 }).lean().exec();
    return all.flatMap(({ performed }) => Object.values(performed ?? {}).flatMap(({ op }) => op ?? []));
  },
};
