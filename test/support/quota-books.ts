import { chargeOfVm } from '../../domain/identity/quotas.js';
import type { Amounts } from '../../schemas/identity/quota.js';
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
  const [vms, services, users, groups, images] = await Promise.all([
    store.vms.model
      .find({ service: null, ...mayBeAmiss }, { uid: 1, gid: 1, state: 1, charge: 1, capacity: 1 })
      .lean<Pick<Vm, '_id' | 'uid' | 'gid' | 'state' | 'charge' | 'capacity'>[]>()
      .exec(),
    store.services.model
      .find(mayBeAmiss, {
        ...{ uid: 1, gid: 1, state: 1, charge: 1, capacities: 1 },
        ...{ 'roles.name': 1, 'roles.cardinality': 1, 'roles.surplus': 1 },
      })
      .lean<Pick<Service, '_id' | 'uid' | 'gid' | 'state' | 'charge' | 'capacities' | 'roles'>[]>()
      .exec(),
    store.quotas.models.user.find().lean().exec(),
    store.quotas.models.group.find().lean().exec(),
    store.images.model.find().lean<Image[]>().exec(),
  ]);
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
      sums.set(holder, sum);
    }
  };
  for (const vm of vms) {
    count(`VM ${vm._id}`, vm, vm.charge, vm.state === 'DONE');
    const own = chargeOfVm(vm.capacity);
    if (vm.charge && text(vm.charge) !== text(own))
      found.push(`VM ${vm._id} is charged ${text(vm.charge)}, not ${text(own)}`);
  }
  for (const service of services) {
    count(`service ${service._id}`, service, service.charge, service.state === 'DONE');
    const own = { services: 1, vms: 0, cpu: 0, memory: 0 };
    for (const { name, cardinality, surplus = 0 } of service.roles) {
      own.vms += cardinality + surplus;
      own.cpu += (cardinality + surplus) * (service.capacities?.[name]?.cpu ?? 0);
      own.memory += (cardinality + surplus) * (service.capacities?.[name]?.memory ?? 0);
    }
    if (service.charge && text(service.charge) !== text(own))
      found.push(`service ${service._id} is charged ${text(service.charge)}, and its roles are to have ${text(own)}`);
  }
  for (const image of images) {
    count(`image ${image._id}`, image, image.charge, false);
    const own = { services: 0, vms: 0, cpu: 0, memory: 0, images: 1, storage: image.size_mb };
    if (text(image.charge) !== text(own))
      found.push(`image ${image._id} is charged ${text(image.charge)}, not ${text(own)}`);
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

const text = (amounts: Amounts | undefined): string =>
  amounts
    ? `${amounts.services} services, ${amounts.vms} VMs, ${amounts.cpu} CPU, ${amounts.memory} MB, ${amounts.images ?? 0} images, ${amounts.storage ?? 0} MB of them`
    : 'nothing';
