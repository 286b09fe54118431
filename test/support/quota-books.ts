import type { Amounts } from '../../schemas/identity/amounts.js';
import type { Lease } from '../../schemas/networks/lease.js';
import type { Network } from '../../schemas/networks/network.js';
import type { Service } from '../../schemas/services/service.js';
import type { Image } from '../../schemas/storage/image.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Store } from '../../store/store.js';

/** What is DONE and not charged is as it should be: of a world that has seen much, that is nearly all. */
const mayBeAmiss = { $or: [{ state: { $ne: 'DONE' } as const }, { charge: { $exists: true } }] };

/**
 * Everything in which quotas and the objects that are charged to them do not agree, each as a sentence. It is counted
 * from the states of services and VMs, and not as the product counts.
 */
export async function quotaDisagreements(store: Store): Promise<string[]> {
  const [vms, services, users, groups, images, networks] = await Promise.all([
    store.vms.model
      .find(mayBeAmiss, { ...{ uid: 1, gid: 1, state: 1, charge: 1, capacity: 1, service: 1 }, disks: 1 })
      .lean<Pick<Vm, '_id' | 'uid' | 'gid' | 'state' | 'charge' | 'capacity' | 'service' | 'disks'>[]>()
      .exec(),
    store.services.model
      .find(mayBeAmiss, {
        ...{ uid: 1, gid: 1, state: 1, charge: 1, capacities: 1 },
        ...{ 'roles.name': 1, 'roles.cardinality': 1, 'roles.surplus': 1, networks: 1 },
      })
      .lean<Pick<Service, '_id' | 'uid' | 'gid' | 'state' | 'charge' | 'capacities' | 'roles' | 'networks'>[]>()
      .exec(),
    store.quotas.models.user.find().lean().exec(),
    store.quotas.models.group.find().lean().exec(),
    store.images.model.find().lean<Image[]>().exec(),
    store.networks.model.find().lean<Network[]>().exec(),
  ]);
  const leases = await store.leases.model
    .find({ 'holder.type': { $ne: 'hold' } })
    .lean<Lease[]>()
    .exec();
  const reserved = new Set(networks.filter(({ parent }) => parent !== null).map(({ _id }) => _id));
  /** Addresses of these, as they are charged to whoever has them. */
  const chargeOfLeases = (some: readonly Lease[]): Pick<Amounts, 'leases' | 'on'> => {
    const on: Record<string, number> = {};
    for (const { network } of some) on[`network/${network}/leases`] = (on[`network/${network}/leases`] ?? 0) + 1;
    return { leases: some.filter(({ network }) => !reserved.has(network)).length, on };
  };
  const heldBy = (type: string, id: number) =>
    chargeOfLeases(leases.filter(({ holder }) => holder.type === type && 'id' in holder && holder.id === id));
  const found: string[] = [];
  const sums = new Map<string, Amounts>();
  const count = (
    what: string,
    { uid, gid }: { uid: number; gid: number },
    charge: Amounts | undefined,
    isDone: boolean,
  ) => {
    if (isDone && charge) found.push(`${what} is DONE and charged ${JSON.stringify(charge)}`);
    if (!isDone && !charge) found.push(`${what} is not DONE and not charged`);
    if (isDone || !charge) return;
    for (const holder of [`user ${uid}`, `group ${gid}`]) {
      const sum = sums.get(holder) ?? { services: 0, vms: 0, cpu: 0, memory: 0 };
      sum.services += charge.services;
      sum.vms += charge.vms;
      sum.cpu += charge.cpu;
      sum.memory += charge.memory;
      sum.images = (sum.images ?? 0) + (charge.images ?? 0);
      sum.storage = (sum.storage ?? 0) + (charge.storage ?? 0);
      sum.leases = (sum.leases ?? 0) + (charge.leases ?? 0);
      sum.on = { ...sum.on };
      for (const [key, amount] of Object.entries(charge.on ?? {})) sum.on[key] = (sum.on[key] ?? 0) + amount;
      sums.set(holder, sum);
    }
  };
  for (const vm of vms) {
    if (vm.service) {
      // It is charged with its service, but for what it has beyond that.
      if (vm.charge) count(`VM ${vm._id}`, vm, vm.charge, vm.state === 'DONE');
      continue;
    }
    count(`VM ${vm._id}`, vm, vm.charge, vm.state === 'DONE');
    const had = heldBy('vm', vm._id);
    for (const { image } of vm.disks ?? []) if (image) had.on = { ...had.on, [`image/${image.id}/rvms`]: 1 };
    const own = { services: 0, vms: 1, ...vm.capacity, ...had };
    if (vm.charge && text(vm.charge) !== text(own))
      found.push(`VM ${vm._id} is charged ${text(vm.charge)}, not ${text(own)}`);
  }
  for (const service of services) {
    count(`service ${service._id}`, service, service.charge, service.state === 'DONE');
    const own = { services: 1, vms: 0, cpu: 0, memory: 0, leases: 0, on: new Map<string, number>() };
    const more = (key: string, amount: number) => own.on.set(key, (own.on.get(key) ?? 0) + amount);
    for (const { name, cardinality, surplus = 0 } of service.roles) {
      const { cpu = 0, memory = 0, leases: addresses = 0, on = {} } = service.capacities?.[name] ?? {};
      own.vms += cardinality + surplus;
      own.cpu += (cardinality + surplus) * cpu;
      own.memory += (cardinality + surplus) * memory;
      own.leases += (cardinality + surplus) * addresses;
      for (const [key, amount] of Object.entries(on)) more(key, (cardinality + surplus) * amount);
    }
    for (const { reserved: from } of service.networks ?? []) {
      own.leases += from?.size ?? 0;
      if (from) more(`network/${from.from}/leases`, from.size);
    }
    const whole = { ...own, on: Object.fromEntries(own.on) };
    if (service.charge && text(service.charge) !== text(whole))
      found.push(`service ${service._id} is charged ${text(service.charge)}, and its roles are to have ${text(whole)}`);
  }
  for (const image of images) {
    count(`image ${image._id}`, image, image.charge, false);
    const at = `datastore/${image.datastore_id}`;
    const on = { [`${at}/images`]: 1, [`${at}/size`]: image.size_mb };
    const own = { services: 0, vms: 0, cpu: 0, memory: 0, images: 1, storage: image.size_mb, on };
    if (text(image.charge) !== text(own))
      found.push(`image ${image._id} is charged ${text(image.charge)}, not ${text(own)}`);
  }
  for (const network of networks) {
    if (network.parent === null || network.service !== undefined) continue;
    count(`network ${network._id}`, network, network.charge, false);
    const own = { services: 0, vms: 0, cpu: 0, memory: 0, ...heldBy('network', network._id) };
    if (text(network.charge) !== text(own))
      found.push(`network ${network._id} is charged ${text(network.charge)}, not ${text(own)}`);
  }
  const said = new Map<string, Amounts>([
    ...users.map(({ _id, used }) => [`user ${_id}`, used] as const),
    ...groups.map(({ _id, used }) => [`group ${_id}`, used] as const),
  ]);
  for (const holder of new Set([...said.keys(), ...sums.keys()])) {
    const nobody = holder.endsWith(' 0');
    const sum = sums.get(holder) ?? { services: 0, vms: 0, cpu: 0, memory: 0 };
    const used = said.get(holder);
    if (nobody ? used !== undefined : text(used) !== text(sum))
      found.push(`${holder} is said to use ${text(used)}, and has ${text(sum)}`);
  }
  return found;
}

const onText = (on: Amounts['on'] = {}): string =>
  Object.entries(on)
    .flatMap(([key, amount]) => (amount === 0 ? [] : [`${amount} of ${key}`]))
    .sort((one, other) => one.localeCompare(other))
    .join(', ');

const text = (amounts: Amounts | undefined): string =>
  amounts
    ? `${amounts.services} services, ${amounts.vms} VMs, ${amounts.cpu} CPU, ${amounts.memory} MB, ${amounts.images ?? 0} images, ${amounts.storage ?? 0} MB of them, ${amounts.leases ?? 0} leases, ${onText(amounts.on)}`
    : 'nothing';
