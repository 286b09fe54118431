import type { Connection } from 'mongoose';
import { type Flaw, isSame } from '../../domain/consistency/evidence.js';
import type { Section } from '../../domain/consistency/flaw-kinds.js';
import { keyOf, flaws as kinds, placeOf } from '../../domain/consistency/flaws.js';
import type { ListQuery } from '../../schemas/common/list.js';
import {
  type ConsistencyCheckRecord,
  checkFields,
  FindingCode,
  type FindingOutcome,
  type Zone,
} from '../../schemas/consistency/consistency.js';
import { modelOf } from '../mongo/model.js';
import { pageOf } from '../mongo/paging.js';
import { type Transaction, within } from '../mongo/transaction.js';

/** A flaw as a check keeps it, under a name that can be computed again: found twice by a step that runs twice, it is one. */
export type StoredFinding = {
  /** `{check}/{round}/{code}/{resource}` */
  _id: string;
  check: string;
  round: number;
  section: Section;
  subject: number | string;
  flaw: Flaw;
  outcome: FindingOutcome;
  reason: string | null;
  /** A repair of it has begun. */
  tried: boolean;
  created_at: Date;
};

/** Reports are kept 30 days. */
const kept = { expireAfterSeconds: 30 * 24 * 3_600 };

const repairable = FindingCode.options.filter((code) => kinds[code].repair !== null);

/** What a new round finds again, or a new run. */
const passing: FindingOutcome[] = ['candidate', 'found', 'failed'];

export function createConsistencyStore(connection: Connection) {
  const checks = modelOf<ConsistencyCheckRecord>(connection, 'consistency_checks', String, [
    { fields: { created_at: 1 }, options: kept },
  ]);
  const findings = modelOf<StoredFinding>(connection, 'consistency_findings', String, [
    { fields: { check: 1, outcome: 1, _id: 1 } },
    { fields: { created_at: 1 }, options: kept },
  ]);
  const zones = modelOf<Zone>(connection, 'zones', Number);

  return {
    model: checks,
    findings,
    find: (id: string) => checks.findById(id).lean<ConsistencyCheckRecord>().exec(),
    list: (query: ListQuery) => pageOf(checks, {}, query, { ids: 'string', newestFirst: true, list: checkFields }),
    insert: (check: ConsistencyCheckRecord, transaction: Transaction) => checks.create([check], within(transaction)),

    /** The operation that has the zone to itself, or had it last. */
    async holderOfZone(zone: number): Promise<string | null> {
      await zones.updateOne({ _id: zone }, { $setOnInsert: { operation: null } }, { upsert: true });
      return (await zones.findById(zone).lean<Zone>().exec())?.operation ?? null;
    },
    /** Gives the zone to an operation, if it still is in the hands of this one. */
    async claimZone(zone: number, from: string | null, op: string, transaction: Transaction): Promise<boolean> {
      const { modifiedCount } = await zones.updateOne(
        { _id: zone, operation: from },
        { $set: { operation: op } },
        within(transaction),
      );
      return modifiedCount > 0;
    },

    /** Says what a check is doing, and how far it has come. */
    note: (id: string, change: Partial<Pick<ConsistencyCheckRecord, 'doing' | 'compared'>>) =>
      checks.updateOne({ _id: id }, { $set: change }),

    /** Forgets what will be found again; returns the number of the round that begins. */
    async nextRound(check: string): Promise<number> {
      await findings.deleteMany({ check, outcome: { $in: passing } });
      const last = await findings.find({ check }, { round: 1 }).sort({ round: -1 }).limit(1).lean<StoredFinding[]>();
      return (last[0]?.round ?? 0) + 1;
    },

    /** Keeps what a first look has seen. What is kept already stays as it is. */
    async suspect(check: string, round: number, seen: readonly Flaw[]): Promise<void> {
      if (seen.length === 0) return;
      const created_at = new Date();
      await findings.bulkWrite(
        seen.map((flaw) => ({
          updateOne: {
            filter: { _id: `${check}/${round}/${keyOf(flaw)}` },
            update: {
              $setOnInsert: {
                ...{ check, round, ...placeOf(flaw), flaw, created_at },
                ...{ outcome: 'candidate' as const, reason: null, tried: false },
              },
            },
            upsert: true,
          },
        })),
        { ordered: false },
      );
    },

    /** Some of the findings of a round with this outcome, in order of their names, after one. */
    some: (
      { check, round, section, outcome }: Pick<StoredFinding, 'check' | 'round' | 'section' | 'outcome'>,
      after: string,
      limit: number,
    ) =>
      findings
        .find({ check, outcome, _id: { $gt: after }, round, section })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<StoredFinding[]>()
        .exec(),

    /** Of these candidates, those that a second look has seen unchanged are findings; the others never were. */
    async confirm(candidates: readonly StoredFinding[], seen: readonly Flaw[]): Promise<void> {
      const again = new Map(seen.map((flaw) => [keyOf(flaw), flaw]));
      const confirmed = candidates.filter(({ flaw }) => {
        const now = again.get(keyOf(flaw));
        return now !== undefined && isSame(now, flaw);
      });
      const ids = new Set(confirmed.map(({ _id }) => _id));
      const others = candidates.filter(({ _id }) => !ids.has(_id)).map(({ _id }) => _id);
      await findings.updateMany({ _id: { $in: [...ids] }, outcome: 'candidate' }, { $set: { outcome: 'found' } });
      await findings.deleteMany({ _id: { $in: others }, outcome: 'candidate' });
    },

    /** Says that the repair of findings begins. */
    beginRepairs: (ids: readonly string[]) => findings.updateMany({ _id: { $in: ids } }, { $set: { tried: true } }),
    /** Says what came of it. */
    async endRepairs(ends: readonly Pick<StoredFinding, '_id' | 'outcome' | 'reason'>[]): Promise<void> {
      await findings.bulkWrite(
        ends.map(({ _id, outcome, reason }) => ({
          updateOne: { filter: { _id, outcome: 'found' }, update: { $set: { outcome, reason } } },
        })),
        { ordered: false },
      );
    },

    repaired: (check: string, round: number, section: Section) =>
      findings.countDocuments({ check, outcome: 'repaired', round, section }).exec(),

    /** The first findings of a check, candidates left out. */
    shown: (check: string, limit: number) =>
      findings
        .find({ check, outcome: { $ne: 'candidate' } })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<StoredFinding[]>()
        .exec(),

    /** How many findings each of these checks has, and how many of them are still there. */
    async counts(ids: readonly string[]): Promise<ReadonlyMap<string, { found: number; left: number }>> {
      const rows = await findings
        .aggregate<{ _id: string; found: number; left: number }>([
          { $match: { check: { $in: [...ids] }, outcome: { $ne: 'candidate' } } },
          {
            $group: {
              _id: '$check',
              found: { $sum: 1 },
              left: { $sum: { $cond: [{ $in: ['$outcome', ['found', 'failed']] }, 1, 0] } },
            },
          },
        ])
        .exec();
      return new Map(rows.map(({ _id, found, left }) => [_id, { found, left }]));
    },
  };
}
export type ConsistencyStore = ReturnType<typeof createConsistencyStore>;

/** Whether there is a safe repair of a finding. */
export const isRepairable = ({ flaw }: Pick<StoredFinding, 'flaw'>): boolean => repairable.includes(flaw.code);
