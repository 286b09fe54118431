import type mongoose from 'mongoose';

type Db = mongoose.mongo.Db;

type FloorVm = {
  _id: string;
  name: string;
  state: string;
  service: { id: number; role: string; ordinal: number };
  host: number;
  capacity: { cpu: number; memory: number };
  template: Record<string, unknown>;
  created_at: Date;
};
type FloorHost = { _id: number; used: { cpu: number; memory: number }; vms: number };
type FloorServiceDocument = { _id: number; state: string; roles: { name: string; state: string }[] };

const capacity = { cpu: 100, memory: 512 };

/**
 * The steps of a bare sketch of a deployment: what has to be in MongoDB for a service to be seen to come up and to go,
 * in as few writes as anybody would take. There is no admission, no lock and no fence, no name template, no plan of
 * placement (VMs go round the hosts), no retry that goes on where another ended, no error that anybody could read, and
 * no hypervisor: a VM boots when its document says so.
 *
 * A deployment writes: the service's state at the beginning and at the end; for each role its state twice, each host's
 * sum of reservations in one bulk write, the VM documents (made with their host, so that no later write is needed for
 * it) in one insert; for each batch of VMs, BOOT and then RUNNING. An undeployment writes the same but for the insert:
 * SHUTDOWN, then DONE, then the hosts' sums.
 */
export const floorSteps = (db: Db) => {
  const services = db.collection<FloorServiceDocument>('services');
  const vms = db.collection<FloorVm>('vms');
  const hosts = db.collection<FloorHost>('hosts');
  const acts = db.collection<{ _id: string; state: string }>('acts');

  const setRole = (id: number, role: string, state: string) =>
    services.updateOne({ _id: id, 'roles.name': role }, { $set: { 'roles.$.state': state } });
  const setVms = (ids: readonly string[], state: string) =>
    vms.updateMany({ _id: { $in: [...ids] } }, { $set: { state } });
  /** `sign` 1 reserves, -1 gives back. */
  const reserve = async (where: readonly number[], sign: 1 | -1): Promise<void> => {
    const counts = new Map<number, number>();
    for (const host of where) counts.set(host, (counts.get(host) ?? 0) + 1);
    const updates = [...counts].map(([host, count]) => ({
      updateOne: {
        filter: { _id: host },
        update: {
          $inc: {
            'used.cpu': sign * count * capacity.cpu,
            'used.memory': sign * count * capacity.memory,
            vms: sign * count,
          },
        },
      },
    }));
    await hosts.bulkWrite(updates, { ordered: false });
  };

  return {
    async begin(id: number, state: string): Promise<void> {
      await services.updateOne({ _id: id }, { $set: { state } });
    },

    async makeVms(id: number, role: string, cardinality: number): Promise<string[]> {
      await setRole(id, role, 'DEPLOYING');
      const known = await hosts.find({}, { projection: { _id: 1 } }).toArray();
      const now = new Date();
      const made = Array.from(
        { length: cardinality },
        (_, ordinal): FloorVm => ({
          _id: `${id}-${role}-${ordinal}`,
          name: `${role}_${ordinal}_(service_${id})`,
          state: 'PROLOG',
          service: { id, role, ordinal },
          host: known[(id + ordinal) % known.length]?._id ?? 0,
          capacity,
          template: { CPU: 1, MEMORY: 512 },
          created_at: now,
        }),
      );
      await reserve(
        made.map((vm) => vm.host),
        1,
      );
      await vms.insertMany(made, { ordered: false });
      return made.map((vm) => vm._id);
    },

    async takeVms(id: number, role: string): Promise<string[]> {
      await setRole(id, role, 'UNDEPLOYING');
      const found = await vms.find({ 'service.id': id, 'service.role': role }, { projection: { _id: 1 } }).toArray();
      return found.map((vm) => vm._id);
    },

    async boot(ids: string[]): Promise<void> {
      await setVms(ids, 'BOOT');
      await setVms(ids, 'RUNNING');
    },

    async destroy(ids: string[]): Promise<void> {
      await setVms(ids, 'SHUTDOWN');
      const gone = await vms.find({ _id: { $in: ids } }, { projection: { host: 1 } }).toArray();
      await setVms(ids, 'DONE');
      await reserve(
        gone.map((vm) => vm.host),
        -1,
      );
    },

    /** What is done to one VM: its document says that it begins, is at work, and has ended. */
    async markAct(id: string, state: string): Promise<void> {
      await acts.updateOne({ _id: id }, { $set: { state } }, { upsert: true });
    },

    async work(id: string): Promise<void> {
      await acts.updateOne({ _id: id }, { $set: { state: 'AT_WORK' } });
      await acts.updateOne({ _id: id }, { $set: { state: 'WORKED' } });
    },

    async endRole(id: number, role: string, state: string): Promise<void> {
      await setRole(id, role, state);
    },

    async end(id: number, state: string): Promise<void> {
      await services.updateOne({ _id: id }, { $set: { state } });
    },
  };
};
export type FloorSteps = ReturnType<typeof floorSteps>;
