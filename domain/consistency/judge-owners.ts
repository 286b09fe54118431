import type { QuotaHolder } from '../../schemas/identity/quota.js';
import { type Flaw, flaw } from './evidence.js';

/** A user or group to which something belongs, as the objects say: what that is, in words; null: nothing that lives. */
export type SeenOwner = { holder: QuotaHolder; exists: boolean; owns: string | null };

/** Owners who are not there. */
export const judgeOwners = (owners: readonly SeenOwner[]): Flaw[] =>
  owners.flatMap(({ holder, exists, owns }) =>
    exists || owns === null ? [] : [flaw('owner_missing', { holder, owns })],
  );
