import type { Connection } from 'mongoose';
import type { Ownership } from '../schemas/common/common.js';
import type { Amounts } from '../schemas/identity/amounts.js';
import { countOf, isOperated, kinds, type OwnedKind, type ZoneCounted } from '../schemas/kinds.js';
import type { Service } from '../schemas/services/service.js';
import type { Vm } from '../schemas/vms/vm.js';
import type { ChargedOwner } from './identity/quota-charges.js';
import type { QuotaStore } from './identity/quotas.js';
import { ownershipFields } from './mongo/model.js';
import type { References } from './mongo/references.js';
import { orTaken } from './mongo/taken.js';
import { type Transaction, within, withTransaction } from './mongo/transaction.js';
import type { OperationStore } from './operations/operations.js';
import type { OwnedObject } from './owned-objects.js';
import { BeingGiven, type Givings } from './services/givings.js';
import type { ServiceNetworks } from './services/service-networks.js';
import type { VmStore } from './vms/vms.js';

/** `charge`: what goes to the quotas of a new owner and group. */
type Owned = Ownership & { _id: number; charge?: Amounts };

/** A VM of a service, as far as it matters who may change its owner or bits. */
export type OwnedNode = Pick<Vm, '_id' | 'state' | keyof Ownership>;

/** A change of owner, group or permission bits. */
export type OwnershipChange<T> = {
  /** What is to be, from what is. */
  after: (seen: Ownership) => Ownership;
  /**
   * Throws where it may not be. Asked before the transaction, so that what is refused writes nothing and holds nobody up,
   * and again in it, of what is then: of a service with all its VMs.
   */
  allow: (seen: T, after: Ownership, nodes: readonly OwnedNode[]) => void;
  /** Throws where it is not as the one who asks has seen it. Asked in the transaction, of what is then. */
  compare: (present: T) => Promise<void>;
  /** The names of the new owner and group, where they are known, for a refusal. */
  names: Pick<ChargedOwner, 'uname' | 'gname'>;
};

/** What goes with an object; `owner`: whose it is from then on. */
type Followers<T> = {
  /** Throws BeingGiven where an earlier change goes on. */
  inOrder: (present: T, transaction: Transaction) => Promise<void>;
  nodes: (transaction: Transaction) => Promise<OwnedNode[]>;
  follow: (owner: Ownership, nodes: readonly OwnedNode[], transaction: Transaction, present: T) => Promise<void>;
};
const nobody: Followers<unknown> = { inOrder: async () => {}, nodes: async () => [], follow: async () => {} };

type Stores = {
  operations: OperationStore;
  vms: VmStore;
  quotas: QuotaStore;
  references: References;
  givings: Givings;
  serviceNetworks: ServiceNetworks;
};

/**
 * Gives objects to other owners and groups, and changes their permission bits, in one transaction with all that goes by
 * them: the charge of quotas, operations, the VMs of a service. It begins by a write to the object that always changes it.
 * Whoever admits an operation on it writes it, too: of two that meet, one goes again and sees what the other has done. So
 * it is with whoever removes the user or group that it is given to.
 *
 * Many VMs of a service follow it after the transaction, before the one who asked is answered: see store/services/givings.
 */
export function createOwnershipChanges(
  connection: Connection,
  { operations, vms, quotas, references, givings, serviceNetworks }: Stores,
) {
  /** Returns the object as it is then; null: it is not there. Throws Taken where the new owner has one of its name. */
  async function change<K extends OwnedKind>(
    kind: K,
    id: number,
    { after, allow, compare, names }: OwnershipChange<OwnedObject<K>>,
    { inOrder, nodes: nodesOf, follow }: Followers<OwnedObject<K>> = nobody,
    counted: ZoneCounted | null = null,
  ): Promise<OwnedObject<K> | null> {
    const documents = connection.collection<Owned & { owner_changes?: number }>(kinds[kind].collection);
    const seen = await documents.findOne<OwnedObject<K>>({ _id: id });
    if (!seen) return null;
    const isCharged = chargeOf(seen) !== undefined;
    const wish = after(seen);
    allow(seen, wish, []);
    const inTransaction = () =>
      withTransaction(connection, async (transaction) => {
        await documents.updateOne({ _id: id }, { $inc: { owner_changes: 1 } }, within(transaction));
        const present = await documents.findOne<OwnedObject<K>>({ _id: id }, within(transaction));
        if (!present) return null;
        await inOrder(present, transaction);
        const owner = after(present);
        const nodes = await nodesOf(transaction);
        allow(present, owner, nodes);
        await compare(present);
        await references.giveTo(present, owner, transaction);
        await orTaken(() => documents.updateOne({ _id: id }, { $set: owner }, within(transaction)));
        await follow(owner, nodes, transaction, present);
        if (counted && owner.uid !== present.uid) await quotas.demandRoom({ ...owner, ...names }, counted, transaction);
        await quotas.moveCharge(present, { ...owner, ...names }, chargeOf(present), transaction);
        return { ...present, ...owner };
      });
    const isGiven = seen.uid !== wish.uid || seen.gid !== wish.gid;
    return isGiven && isCharged ? quotas.inTurn([seen, wish], inTransaction) : inTransaction();
  }

  /** Goes again once an earlier change of the service has come to its end. */
  async function afterEarlier<R>(deed: () => Promise<R>): Promise<R> {
    for (;;) {
      try {
        return await deed();
      } catch (error) {
        if (!(error instanceof BeingGiven)) throw error;
        await givings.finish(error.service);
      }
    }
  }

  return {
    /** For objects with which nothing goes but the operations on them: templates, hosts, clusters, images. */
    changeOf:
      <K extends Exclude<OwnedKind, 'service' | 'vm'>>(kind: K) =>
      (id: number, wish: OwnershipChange<OwnedObject<K>>) =>
        change(
          kind,
          id,
          wish,
          isOperated(kind)
            ? {
                ...nobody,
                follow: async (owner, _nodes, transaction) => {
                  await operations.give(kind, [id], owner, transaction);
                },
              }
            : nobody,
          countOf(kind),
        ),

    /** A VM, and its operations. */
    async changeVm(id: number, wish: OwnershipChange<Vm>): Promise<Vm | null> {
      // So that it is looked at as the new owner's.
      const its = await vms.model.findById(id, { service: 1 }).lean<Pick<Vm, 'service'>>().exec();
      if (its?.service) await givings.finish(its.service.id);
      return afterEarlier(() =>
        change('vm', id, wish, {
          ...nobody,
          inOrder: async ({ service }, transaction) => {
            if (service) await givings.inOrder(service.id, transaction);
          },
          follow: async (owner, _nodes, transaction) => {
            await operations.give('vm', [id], owner, transaction);
          },
        }),
      );
    },

    /** A service, its VMs, those that are DONE among them, and the operations of all: decided at once for all of them. */
    async changeService(id: number, wish: OwnershipChange<Service>): Promise<Service | null> {
      const changed = await afterEarlier(() => changeWithNodes(id, wish));
      await givings.finish(id);
      return changed;
    },
  };

  function changeWithNodes(id: number, wish: OwnershipChange<Service>): Promise<Service | null> {
    return change('service', id, wish, {
      inOrder: async ({ giving }) => {
        if (giving) throw new BeingGiven(id);
      },
      nodes: (transaction) =>
        vms.model
          .find({ 'service.id': id }, { ...ownershipFields, state: 1 }, within(transaction))
          .hint('by_service')
          .lean<OwnedNode[]>()
          .exec(),
      follow: async (owner, nodes, transaction, present) => {
        await serviceNetworks.give(present, owner, wish.names.uname, transaction);
        await operations.give('service', [id], owner, transaction);
        const ids = nodes.map(({ _id }) => _id);
        await givings.follow(id, owner, ids, transaction);
      },
    });
  }
}
const chargeOf = (owned: Owned): Amounts | undefined => owned.charge;

export type OwnershipChanges = ReturnType<typeof createOwnershipChanges>;
