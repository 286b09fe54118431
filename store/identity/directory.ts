import type { Caller } from '../../domain/identity/caller.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { AclRule, StoredAcl } from '../../schemas/identity/acl.js';
import type { Group } from '../../schemas/identity/group.js';
import type { Token } from '../../schemas/identity/token.js';
import type { User } from '../../schemas/identity/user.js';
import type { FederatedPool } from '../../schemas/kinds.js';
import type { Transaction } from '../mongo/transaction.js';

/** A user as one who asks, and the version of the directory that this is of. */
export type Seen = { version: number; user: User; caller: Caller };

/**
 * Who there is, and who may do what: what zones of a federation share. A zone's own store names users and groups by their ids
 * and knows nothing else of them.
 */
export interface Directory {
  readonly version: IdentityVersion;
  readonly users: Users;
  readonly groups: Groups;
  readonly acls: Acls;
  readonly tokens: Tokens;
  readonly attempts: LoginAttempts;

  /** All rules that give this user rights: those of his groups, and those that administrators have made. */
  rulesOf(user: User, transaction: Transaction | null): Promise<readonly AclRule[]>;

  /**
   * The user that is found, and what that user may do, all as it is at one moment: what was read one after the other
   * could add up to rights that nobody ever had.
   */
  look<Found extends { user: User }>(
    find: (transaction: Transaction) => Promise<Found | null>,
  ): Promise<(Found & Seen) | null>;

  /**
   * A change, for this user. `work` is given what the user may do as it is in the transaction that changes: no right
   * that was taken away meanwhile is used once more. null: there is no such user any more, and nothing is changed.
   */
  change<T>(uid: number, work: (asking: Caller, transaction: Transaction) => Promise<T>): Promise<T | null>;
}

/**
 * One number that rises with every change to who may do what: users, groups, rules, tokens. Each request compares it, so
 * that nothing it is decided by is older than the request, in whatever process the change was made. All changes exclude each
 * other: what one has read stays true until it commits.
 */
export interface IdentityVersion {
  /** Asked with each request. */
  current(): Promise<number>;
  /** The same in a transaction. */
  within(transaction: Transaction): Promise<number>;
  /** Makes a change and raises the version, in one transaction. */
  change<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** An id never given before, in a change. */
  take(pool: FederatedPool, transaction: Transaction): Promise<number>;
}

export interface Users {
  find(id: number, transaction?: Transaction | null): Promise<User | null>;
  /** By the name as it is written, else as names are kept. */
  byName(name: string, transaction?: Transaction | null): Promise<User | null>;
  byIds(ids: readonly number[]): Promise<User[]>;
  /** One other than `itself` whose name looks like this one; null: there is none. */
  lookAlike(name: string, itself: number | null, transaction: Transaction): Promise<{ name: string } | null>;
  /** Names of those that exist. */
  namesOf(ids: readonly number[], transaction?: Transaction | null): Promise<Map<number, string>>;
  /** The caller, and those that rules let the caller USE: by id, or by their primary group. */
  list(caller: Caller, query: ListQuery): Promise<Page<User>>;
  /** Ids of the users whose primary group is one of these. */
  idsIn(gids: readonly number[]): Promise<number[]>;
  /** How many members a group has, for a change that goes by it. */
  countIn(gid: number, transaction: Transaction): Promise<number>;
  /** How many members each of these groups has. */
  countMembers(gids: readonly number[]): Promise<Map<number, number>>;
  /** Within a change of the directory. Fails with a duplicate key when the name is taken. */
  insert(user: User, transaction: Transaction): Promise<unknown>;
  /** Returns the user as he is then; null: there is none. */
  update(id: number, change: Partial<Omit<User, '_id'>>, transaction: Transaction): Promise<User | null>;
  remove(id: number, transaction: Transaction): Promise<unknown>;
}

export interface Groups {
  find(id: number, transaction?: Transaction | null): Promise<Group | null>;
  byName(name: string, transaction: Transaction): Promise<Group | null>;
  /** In order of their ids. */
  byIds(ids: readonly number[], transaction?: Transaction | null): Promise<Group[]>;
  /** One other than `itself` whose name looks like this one; null: there is none. */
  lookAlike(name: string, itself: number | null, transaction: Transaction): Promise<{ name: string } | null>;
  /** Names of those that exist. */
  namesOf(ids: readonly number[], transaction?: Transaction | null): Promise<Map<number, string>>;
  /** The caller's own, and those that rules let the caller USE. */
  list(caller: Caller, query: ListQuery): Promise<Page<Group>>;
  /** Within a change of the directory. Fails with a duplicate key when the name is taken. */
  insert(group: Group, transaction: Transaction): Promise<unknown>;
  /** Returns the group as it is then; null: there is none. */
  update(id: number, change: Partial<Omit<Group, '_id'>>, transaction: Transaction): Promise<Group | null>;
  /** Who leaves groups is no admin of them any more. */
  removeAdmin(uid: number, ids: readonly number[], transaction: Transaction): Promise<unknown>;
  remove(id: number, transaction: Transaction): Promise<unknown>;
}

/** Rules as administrators have made them. */
export interface Acls {
  find(id: number, transaction?: Transaction | null): Promise<StoredAcl | null>;
  byText(text: string, transaction: Transaction): Promise<StoredAcl | null>;
  /** Those that are about this user: by id, by a group, or as one of all. */
  about(user: Pick<Caller, 'id' | 'groups'>, transaction?: Transaction | null): Promise<StoredAcl[]>;
  /** Administrators see all, others those that are about them. */
  list(caller: Caller, query: ListQuery): Promise<Page<StoredAcl>>;
  count(transaction: Transaction): Promise<number>;
  insert(rule: StoredAcl, transaction: Transaction): Promise<unknown>;
  remove(id: number, transaction: Transaction): Promise<unknown>;
  /** Rules about a user that is gone, and on him. */
  removeOfUser(id: number, transaction: Transaction): Promise<unknown>;
  /** Rules about a group that is gone, on what belongs to it, and on itself. */
  removeOfGroup(id: number, transaction: Transaction): Promise<unknown>;
}

export interface Tokens {
  byHash(hash: string, transaction: Transaction): Promise<Token | null>;
  /** Of this user: another's is not found. */
  find(uid: number, id: number): Promise<Token | null>;
  list(uid: number, query: ListQuery): Promise<Page<Token>>;
  /** How many a user has that are valid. */
  count(uid: number, transaction?: Transaction): Promise<number>;
  insert(token: Token, transaction: Transaction): Promise<unknown>;
  /** Returns whether the user had it. */
  remove(uid: number, id: number, transaction: Transaction): Promise<boolean>;
  removeOf(uid: number, transaction: Transaction): Promise<unknown>;
  /**
   * Notes its use, unless that was noted since `before`; returns when it was. Not a change of who may do what: it
   * raises no version.
   */
  used(id: number, at: Date, before: Date): Promise<Date>;
}

/** How many may fail within so many milliseconds. */
export type AttemptLimit = { most: number; window: number };

/** One that has been counted as failed; given back, it was not. */
export type Attempt = { key: string; until: Date };

/**
 * How often logins have failed, seen by every process. An attempt counts as failed from before it is tried, so that any
 * number of them at once are as many as they are.
 */
export interface LoginAttempts {
  /** Remembers that a login has succeeded, for so many milliseconds. */
  know(of: readonly string[], milliseconds: number): Promise<void>;
  isKnown(of: readonly string[]): Promise<boolean>;
  /** Counts one; `granted` is false when there were too many, until the time that is said. */
  take(of: readonly string[], limit: AttemptLimit): Promise<Attempt & { granted: boolean }>;
  /** It has succeeded, or was not tried. */
  giveBack(attempt: Attempt): Promise<void>;
}
