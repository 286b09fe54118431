import type { ClientSession, Connection } from 'mongoose';

/** What belongs to users and groups, and how it is told. What is DONE is history: it needs no owner. */
const kinds = [
  { collection: 'services', one: 'service', several: 'services', lives: { state: { $ne: 'DONE' } } },
  { collection: 'vms', one: 'VM', several: 'VMs', lives: { state: { $ne: 'DONE' } } },
  { collection: 'service_templates', one: 'service template', several: 'service templates', lives: {} },
  { collection: 'vm_templates', one: 'VM template', several: 'VM templates', lives: {} },
  { collection: 'hosts', one: 'host', several: 'hosts', lives: {} },
  { collection: 'clusters', one: 'cluster', several: 'clusters', lives: {} },
] as const;

/** Counts what a user or a group has in this zone, as “2 VMs, 1 service”; null: nothing. */
export const createOwned =
  (connection: Connection) =>
  async (owner: { uid: number } | { gid: number }, session: ClientSession): Promise<string | null> => {
    const found: string[] = [];
    for (const { collection, one, several, lives } of kinds) {
      const count = await connection.collection(collection).countDocuments({ ...owner, ...lives }, { session });
      if (count > 0) found.push(`${count} ${count === 1 ? one : several}`);
    }
    return found.length > 0 ? found.join(', ') : null;
  };
