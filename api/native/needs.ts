import type { Right } from '../../domain/identity/permissions.js';
import { kinds, type OwnedKind } from '../../schemas/kinds.js';

/** Rights that one has on a thing that is there. */
type Held = Exclude<Right, 'create'>;
/** Kinds on whose things one has rights: an operation has those of what it is about. */
export type HeldKind = OwnedKind | 'user' | 'group' | 'operation';
type MadeKind = OwnedKind | 'user' | 'group';

/** Which thing it is, and what is to be said of it. */
export type Where<Param extends string = string> = {
  /** Where its id stands: a part of the path, or a place in the body that may be absent, and then nothing is needed. */
  at?: Param | `/${string}`;
  /** In sentences; absent: the kind. */
  as?: string;
  /** Only then, and in place of the right on the same thing that is needed else. */
  when?: string;
};

/** What everybody may do to himself for whom others must be able to act in his stead. */
export type Oneself = 'settings' | 'password' | 'tokens';

type OnId<Param extends string, N> = 'id' extends Param ? N : never;

/**
 * What whoever asks must have, beside being signed in. Without more, a right is one on the thing whose `{id}` stands in the
 * path, which has to be there. `see`: a list, which shows of a kind what one may USE; `its`: or of each what belongs to it.
 */
export type Need<Param extends string = string> =
  | 'credentials'
  | 'administrator'
  | OnId<Param, readonly [right: Held, kind: HeldKind, where?: Omit<Where, 'at'>]>
  | OnId<Param, readonly ['stead', 'user', oneself?: Oneself]>
  | OnId<Param, readonly ['own', 'token']>
  | OnId<Param, readonly ['concern', 'acl']>
  | readonly [right: Held, kind: HeldKind, where: Where<Param> & { at: string }]
  | readonly ['create', kind: MadeKind]
  | readonly ['see', kind: HeldKind | 'acl', its?: string];

/** Each of them. */
export type Needs<Param extends string = string> = readonly [Need<Param>, ...Need<Param>[]];

/** The right that it takes to edit or remove a thing, as the row of its kind says. */
export const edits = <K extends OwnedKind | 'group'>(kind: K) => [kinds[kind].edits, kind] as const;
