import type { Connection } from 'mongoose';
import { ulid } from 'ulid';
import type { DueEntry, DueSketch } from '../../domain/scaling/due-policies.js';
import type { ElasticRole } from '../../domain/scaling/elasticity.js';
import type { Said } from '../../domain/scaling/evaluate-policy.js';
import type { SaidAt } from '../../domain/scaling/policy-log.js';
import { type RoleRecord, recordId } from '../../domain/scaling/role-record.js';
import { judgedStates } from '../../domain/services/service-health.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { modelOf } from '../mongo/model.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { elasticIndex } from '../services/services.js';
import { changePolicies, changeService, type PolicyEdit, type ServiceEdition } from './policy-change.js';

/** A service of which a role may have to be scaled by itself. */
export type ElasticService = Ownership &
  Pick<Service, '_id' | 'name'> & {
    roles: (ElasticRole & { scheduled_policies?: DueSketch[] })[];
    schedule?: { of: DueEntry[] } | null;
  };

/** A running VM as policies look at it, with the attributes that were asked for. */
export type ElasticVm = Pick<Vm, '_id' | 'name' | 'uid' | 'gid' | 'service' | 'user_template' | 'template'> & {
  since: Date;
};

/** The newest look at a role, to which a decision belongs; `policy`: null is min_vms. */
export type Decided = { role: string; look: string; policy: number | null; at: Date };

/** What was never looked at for so long is forgotten: its service is gone, or has no policies any more. */
const forgottenAfter = 7 * 24 * 3_600;
/** Attributes that are read by name; where more are asked for, all are read. */
const mostNames = 100;

const roleFields = {
  ...{ name: 1, state: 1, operation: 1, cardinality: 1, min_vms: 1, max_vms: 1, elasticity_policies: 1 },
  ...{ cooldown: 1, cooldown_up: 1, cooldown_down: 1, cooldown_until: 1, scaled_at: 1 },
  scheduled_policies: { action: 1, enabled: 1, paused_until: 1 },
};
const dueFields = { role: 1, policy: 1, next_at: 1, last: { due_at: 1, verdict: 1 } };

/**
 * What is kept for policies, apart from the services, which others write: a document a role that is written whole by each
 * look, guarded by the look before. So a tick that runs twice, or late, changes nothing and decides nothing.
 */
export function createElasticity(connection: Connection) {
  const records = modelOf<RoleRecord>(connection, 'elasticity', String, [
    { fields: { at: 1 }, options: { name: 'forgotten', expireAfterSeconds: forgottenAfter } },
  ]);
  const collection = connection.collection<RoleRecord>('elasticity');

  return {
    model: records,

    /** Services at which nobody is at work that have a role with min_vms, as each with policies has; some, in order of ids. */
    servicesAfter: (after: number, most: number): Promise<ElasticService[]> =>
      connection
        .collection<Service>('services')
        .find<ElasticService>(
          {
            ...{ 'roles.min_vms': { $exists: true }, _id: { $gt: after }, operation: null, wanted: null },
            state: { $in: [...judgedStates] },
          },
          {
            projection: { name: 1, uid: 1, gid: 1, permissions: 1, roles: roleFields, schedule: { of: dueFields } },
            hint: elasticIndex.options.name,
          },
        )
        .sort({ _id: 1 })
        .limit(most)
        .toArray(),

    /** VMs of these services that run, and that nobody is ending. */
    runningVms(ids: readonly number[], names: ReadonlySet<string>): Promise<ElasticVm[]> {
      const attributes =
        names.size > mostNames
          ? { user_template: 1, template: 1 }
          : Object.fromEntries(
              [...names].flatMap((name) => [
                [`user_template.${name}`, 1],
                [`template.${name}`, 1],
              ]),
            );
      return connection
        .collection<Vm>('vms')
        .find<ElasticVm>(
          { 'service.id': { $in: [...ids] }, state: 'ACTIVE', lcm_state: 'RUNNING', wanted: null },
          {
            projection: {
              ...{ name: 1, uid: 1, gid: 1, service: 1, ...attributes },
              since: { $ifNull: [{ $last: '$history.stime' }, '$created_at'] },
            },
            hint: 'by_service',
            batchSize: 5_000,
          },
        )
        .toArray();
    },

    recordsOf: (ids: readonly string[]): Promise<RoleRecord[]> => collection.find({ _id: { $in: [...ids] } }).toArray(),

    /** Of one role. */
    ofRole: (service: number, role: string): Promise<RoleRecord | null> =>
      collection.findOne({ _id: recordId(service, role) }),

    /** Of all roles of these services that have policies; where none has, nothing is asked. */
    async ofServices(services: readonly Pick<Service, '_id' | 'roles'>[]): Promise<RoleRecord[]> {
      const ids = services.flatMap(({ _id, roles }) =>
        roles.flatMap(({ name, elasticity_policies: its }) => (its?.length ? [recordId(_id, name)] : [])),
      );
      return ids.length === 0 ? [] : collection.find({ _id: { $in: ids } }).toArray();
    },

    /** Gives a role other policies. */
    change: (edit: Omit<PolicyEdit, 'schedule'>, transaction: Transaction): Promise<void> =>
      changePolicies(connection, edit, transaction),

    /** Whatever people edit of a service that is there, its policies among it. */
    changeService: (edit: ServiceEdition, transaction: Transaction): Promise<void> =>
      changeService(connection, edit, transaction),

    newLook: (): string => ulid(),

    /** Writes what looks have found, each unless somebody else has looked since `before`. */
    async write(looks: readonly { before: RoleRecord | null; after: RoleRecord }[]): Promise<void> {
      if (looks.length === 0) return;
      try {
        await collection.bulkWrite(
          looks.map(({ before, after }) => {
            const { _id, ...rest } = after;
            return before
              ? { replaceOne: { filter: { _id, look: before.look }, replacement: rest } }
              : { insertOne: { document: after } };
          }),
          { ordered: false },
        );
      } catch (error) {
        // Somebody else has looked first for the first time.
        if (!isDuplicateKey(error)) throw error;
      }
    },

    /** In the transaction that admits a decision: it is that of the newest look, and none of it was admitted before. */
    async claim(decided: Decided, operation: string, transaction: Transaction): Promise<boolean> {
      const { role, look, policy, at } = decided;
      const { modifiedCount } = await collection.updateOne(
        { _id: role, look, decided: { $ne: look } },
        {
          $set: {
            ...{ decided: look, [retryOf(policy)]: null },
            ...{
              [`${placeOf(policy)}.last.operation`]: operation,
              [`${placeOf(policy)}.log.$[now].operation`]: operation,
            },
          },
        },
        { ...within(transaction), arrayFilters: [{ 'now.at': at }] },
      );
      return modifiedCount > 0;
    },

    /** The decision of a look was refused; `retry`: until when nothing is asked for again. */
    async refused({ role, look, policy, at }: Decided, said: Said, retry: Date | null): Promise<void> {
      const entry: SaidAt = { ...said, at };
      await collection.updateOne(
        { _id: role, look, decided: { $ne: look } },
        {
          $set: {
            [`${placeOf(policy)}.last`]: entry,
            [`${placeOf(policy)}.log.$[now]`]: entry,
            [retryOf(policy)]: retry,
          },
        },
        { arrayFilters: [{ 'now.at': at }] },
      );
    },
  };
}
export type ElasticityStore = ReturnType<typeof createElasticity>;

const placeOf = (policy: number | null): string => (policy === null ? 'least' : `policies.${policy}`);
const retryOf = (policy: number | null): string => (policy === null ? 'retry_at' : `policies.${policy}.count.retry_at`);
