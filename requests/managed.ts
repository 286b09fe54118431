import type { Caller } from '../domain/identity/caller.js';
import { objectName } from '../domain/identity/given-names.js';
import { permissionsOfNew } from '../domain/identity/permission-bits.js';
import { nameOf } from '../domain/operations/names.js';
import { Problem } from '../domain/problems.js';
import type { Ownership, Page } from '../schemas/common/common.js';
import type { ListQuery } from '../schemas/common/list.js';
import { countOf, kinds, type ManagedKind, type OwnedKind } from '../schemas/kinds.js';
import type { Transaction } from '../store/mongo/transaction.js';
import type { OwnedObject } from '../store/owned-objects.js';
import { authorised, mayCreate } from './authorise.js';
import type { OperationsContext } from './context.js';
import type { Edit } from './edit.js';
import { nameFree } from './free-name.js';
import { ownershipOf } from './ownership-of.js';
import type { Precondition } from './precondition.js';

/** What every object has that belongs to somebody. */
export type Base = Ownership & { _id: number; name: string; created_at: Date };

/** Where objects of a kind are kept, and how they are shown. */
export type Kept<K extends OwnedKind, R> = {
  find: (id: number, transaction?: Transaction) => Promise<OwnedObject<K> | null>;
  /** As the caller sees them, in the same order. */
  shown: (caller: Caller, objects: readonly OwnedObject<K>[]) => Promise<R[]>;
};

/** What each kind of object is looked at and edited by. */
export function objectsOf<K extends OwnedKind, R>(
  { store }: Pick<OperationsContext, 'store'>,
  kind: K,
  { find: findStored, shown }: Kept<K, R>,
) {
  const { edits } = kinds[kind];

  const find = async (caller: Caller, id: number, right: 'use' | typeof edits): Promise<OwnedObject<K>> =>
    authorised(caller, kind, await findStored(id), right, id);

  async function shownOne(caller: Caller, object: OwnedObject<K>): Promise<R> {
    const [one] = await shown(caller, [object]);
    if (one === undefined) throw new Error(`a ${kind} was not shown`);
    return one;
  }

  return {
    find,
    shownOne,
    show: async (caller: Caller, id: number): Promise<R> => shownOne(caller, await find(caller, id, 'use')),

    /**
     * Work on one object by whoever may edit its kind. What it may be done upon is asked twice: before the transaction, so
     * that who may not do it holds nobody up, and in it, of the object that is then written. `work` returns null where the
     * object is gone, and may run more than once.
     */
    async edit<W extends object | true>(
      caller: Caller,
      id: number,
      precondition: Precondition,
      work: (present: OwnedObject<K>, transaction: Transaction) => Promise<W | null>,
    ): Promise<W> {
      await find(caller, id, edits);
      const done = await store.edit(kind, id, async (stored, transaction) => {
        const present = authorised(caller, kind, stored, edits, id);
        await precondition.demand(() => shownOne(caller, present));
        return work(present, transaction);
      });
      if (done === null) throw new Problem('not_found', `There is no ${nameOf({ type: kind, id })}.`);
      return done;
    },
  };
}

/** How one kind differs from others that are made, edited and removed by one write. */
type Way<T, C, E> = {
  list: (caller: Caller, query: ListQuery) => Promise<Page<T>>;
  /** Refuses what is wrong with what is asked for; what makes the object of what every object has. */
  make: (caller: Caller, wish: C) => Promise<(base: Base) => T>;
  insert: (made: T, transaction: Transaction) => Promise<unknown>;
  /** What can be edited of an object, as it is. */
  editable: (present: T) => E;
  /** Refuses what is wrong with what it is to be, and writes it; null: it is gone. */
  change: (caller: Caller, wish: E, present: T, transaction: Transaction) => Promise<T | null>;
  /** Refuses where it may not go, and removes it. */
  remove: (caller: Caller, present: T, transaction: Transaction) => Promise<unknown>;
  /** After one was edited. */
  changed?: () => Promise<void>;
};

/** What can be asked of a kind of object: it is listed, shown, made, edited, given away and removed. */
export function managed<K extends ManagedKind, C extends { name: string }, E extends { name: string }, R>(
  context: OperationsContext,
  kind: K,
  way: Kept<K, R> & Way<OwnedObject<K>, C, E>,
) {
  const { store } = context;
  const { show, shownOne, edit } = objectsOf(context, kind, way);

  /** In a transaction that counts it for its owner, where a quota does, and sees to it that he and his group stay. */
  function write(caller: Caller, made: OwnedObject<K>): Promise<unknown> {
    const count = countOf(kind);
    if (count === null) return store.references.make(made, (transaction) => way.insert(made, transaction));
    return store.quotas.makeCounted({ uid: caller.id, uname: caller.name }, count, async (transaction) => {
      await store.references.makeFor(made, transaction);
      await way.insert(made, transaction);
    });
  }

  /** Something new, checked, that is there once it is written. */
  async function prepare(caller: Caller, wish: C) {
    mayCreate(caller, kind);
    const name = objectName(wish.name);
    const make = await way.make(caller, { ...wish, name });
    return make({
      _id: await store.counters.one(kinds[kind].ids.pool),
      name,
      uid: caller.id,
      gid: caller.gid,
      permissions: permissionsOfNew(caller),
      created_at: new Date(),
    });
  }

  return {
    prepare,

    /** Writes what was prepared together with other things, in a transaction that counts it. */
    writeIn: (made: OwnedObject<K>, transaction: Transaction): Promise<unknown> =>
      nameFree(kind, made.name, async () => {
        await store.references.makeFor(made, transaction);
        await way.insert(made, transaction);
      }),

    /** Removes one, if it is there, together with other things. */
    async removeIn(caller: Caller, id: number, transaction: Transaction): Promise<void> {
      const present = await way.find(id, transaction);
      if (present) await way.remove(caller, authorised(caller, kind, present, kinds[kind].edits, id), transaction);
    },

    async list(caller: Caller, query: ListQuery): Promise<Page<R>> {
      const page = await way.list(caller, query);
      return { ...page, items: await way.shown(caller, page.items) };
    },

    show,

    ...ownershipOf<OwnedObject<K>, R>(context, kind, {
      change: store.ownership.changeOf(kind),
      shown: shownOne,
    }),

    async create(caller: Caller, wish: C): Promise<R> {
      const made = await prepare(caller, wish);
      await nameFree(kind, made.name, () => write(caller, made));
      return shownOne(caller, made);
    },

    async update(caller: Caller, id: number, { revise, precondition }: Edit<E>): Promise<R> {
      const after = await edit(caller, id, precondition, (present, transaction) => {
        const { wish } = revise(way.editable(present));
        const name = objectName(wish.name, present.name);
        return nameFree(kind, name, () => way.change(caller, { ...wish, name }, present, transaction));
      });
      await way.changed?.();
      return shownOne(caller, after);
    },

    async remove(caller: Caller, id: number, precondition: Precondition): Promise<void> {
      await edit(caller, id, precondition, async (present, transaction) => {
        await way.remove(caller, present, transaction);
        return true;
      });
    },
  };
}
