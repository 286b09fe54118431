import type { Operation } from '../../schemas/operations/operation.js';
import type { Vm, VmSnapshot } from '../../schemas/vms/vm.js';
import { few } from '../words.js';
import type { VmEvent } from './vm-events.js';

/** What is done with a snapshot: its id, and its name, which is kept by whoever makes it. */
export type SnapshotDeed = { id: number; name: string };

/** The one that an operation is about: the one that it names, or has made; no VM has one of the number -1. */
export const snapshotOf = (
  { snapshots = [] }: Having,
  { _id, input }: Pick<Operation, '_id' | 'input'>,
): Pick<SnapshotDeed, 'id'> => ({
  id: ('snapshot' in input ? input.snapshot : undefined) ?? snapshots.find(({ op }) => op === _id)?.id ?? -1,
});

type Having = { snapshots?: readonly VmSnapshot[]; next_snapshot?: number };

/** The snapshot that is made next, whatever became of those before: a number is given once. */
export const nextSnapshot = ({ next_snapshot = 0 }: Having, name: string | undefined): SnapshotDeed => ({
  id: next_snapshot,
  name: name ?? `snapshot-${next_snapshot}`,
});

/** What a VM has once a snapshot is made, reverted to or deleted by an operation. */
export function snapshotsAfter(
  verb: SnapshotVerb,
  { snapshots = [], next_snapshot = 0 }: Having,
  { id, name }: SnapshotDeed,
  { op, at }: { op: string; at: Date },
): { snapshots: VmSnapshot[]; next_snapshot?: number } {
  const others = snapshots.filter((one) => one.id !== id);
  const passive = others.map((one) => ({ ...one, active: false }));
  switch (verb) {
    case 'createSnapshot':
      return {
        snapshots: [...passive, { id, name, at, active: true, op }],
        next_snapshot: Math.max(next_snapshot, id + 1),
      };
    case 'revertSnapshot':
      return { snapshots: snapshots.map((one) => ({ ...one, active: one.id === id, ...(one.id === id && { op }) })) };
    case 'deleteSnapshot':
      return { snapshots: others };
  }
}

export type SnapshotVerb = 'createSnapshot' | 'revertSnapshot' | 'deleteSnapshot';
const verbs: ReadonlySet<string> = new Set<SnapshotVerb>(['createSnapshot', 'revertSnapshot', 'deleteSnapshot']);
export const isSnapshotVerb = (verb: string): verb is SnapshotVerb => verbs.has(verb);

/** Whether what an operation was to do with a snapshot is done: its VM says so, for its state is the same before and after. */
export function hasDone(
  verb: SnapshotVerb,
  { snapshots = [] }: Having,
  { id }: Pick<SnapshotDeed, 'id'>,
  op: string,
): boolean {
  const one = snapshots.find((snapshot) => snapshot.id === id);
  return verb === 'deleteSnapshot' ? one === undefined : one?.op === op;
}

/** By these a VM loses its snapshots, as in OpenNebula: its domain is another one then, or what it had in memory is kept otherwise. */
const losing: ReadonlySet<VmEvent> = new Set<VmEvent>([
  ...(['stop', 'suspended', 'undeployed', 'store', 'move', 'retry', 'resubmit', 'done'] as const),
]);
export const losesSnapshots = (event: VmEvent): boolean => losing.has(event);

/** What whoever has VMs moved away is told of those that have snapshots. */
export function movesWithout(vms: readonly (Pick<Vm, '_id'> & Having)[]): string[] {
  const having = vms.filter(({ snapshots = [] }) => snapshots.length > 0);
  const [only] = having;
  if (!only) return [];
  return having.length === 1
    ? [`VM ${only._id} loses its snapshots on the way: they live with its domain.`]
    : [
        `VMs ${few(
          having.map(({ _id }) => String(_id)),
          5,
        )} lose their snapshots on the way: they live with their domains.`,
      ];
}
