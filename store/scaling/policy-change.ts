import type { Connection } from 'mongoose';
import type { BodyChange, RoleChange } from '../../domain/scaling/edit-service.js';
import type { LogEntry, Role, Schedule, Service } from '../../schemas/services/service.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { pushLog } from '../services/service-log.js';

/** What of a role is its policies, of either kind; and of a service, what is kept of those that are scheduled. */
export type PolicyEdit = {
  service: number;
  role: string;
  change: Pick<Role, 'elasticity_policies' | 'scheduled_policies' | 'min_vms' | 'max_vms'>;
  schedule?: Schedule;
  log: LogEntry;
};

/** What becomes of a service and of roles of it; undefined: they have it no more. */
export type ServiceEdition = {
  service: number;
  body: BodyChange & { template_raw?: Record<string, unknown> };
  roles: readonly { name: string; change: RoleChange }[];
  schedule?: Schedule;
  log: LogEntry;
};

/** Gives a role other policies, with a line in the log of the service, in a transaction that has read it. */
export const changePolicies = (
  connection: Connection,
  { role, change, ...edit }: PolicyEdit,
  transaction: Transaction,
): Promise<void> => changeService(connection, { ...edit, body: {}, roles: [{ name: role, change }] }, transaction);

/** The same of all that people edit of a service. Whoever has judged the service by what it was writes nothing. */
export async function changeService(
  connection: Connection,
  { service, body, roles, schedule, log }: ServiceEdition,
  transaction: Transaction,
): Promise<void> {
  const under = (prefix: string, change: object) =>
    Object.entries(change).map(([name, value]): [string, unknown] => [`${prefix}.${name}`, value]);
  const changes = [...under('body', body), ...roles.flatMap(({ change }, at) => under(`roles.$[role${at}]`, change))];
  const set = Object.fromEntries(changes.filter(([, value]) => value !== undefined));
  const gone = changes.filter(([, value]) => value === undefined).map(([name]) => [name, ''] as const);
  await connection.collection<Service>('services').updateOne(
    { _id: service },
    {
      $set: { ...set, ...(schedule && { schedule }) },
      ...(gone.length > 0 && { $unset: Object.fromEntries(gone) }),
      $inc: { health: 1 },
      $push: pushLog([log]),
    },
    {
      ...within(transaction),
      arrayFilters: roles.map(({ name }, at) => ({ [`role${at}.name`]: name })),
      ignoreUndefined: true,
    },
  );
}
