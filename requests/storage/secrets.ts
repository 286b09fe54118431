import type { Caller } from '../../domain/identity/caller.js';
import type { SecretsRotated } from '../../schemas/storage/secrets.js';
import { administrator } from '../authorise.js';
import type { OperationsContext } from '../context.js';

/**
 * Makes a new key and seals every secret with it. One that was cut off is finished when it is asked for again, before there is another key; until
 * then each secret is opened with the key that it has. Of several at once, all end with the newest key.
 */
export async function rotateSecrets(
  { store, sealer }: Pick<OperationsContext, 'store' | 'sealer'>,
  caller: Caller,
): Promise<SecretsRotated> {
  administrator(caller, 'rotate the keys of secrets');
  const before = sealer.current();
  if (before === null) return { key: null, resealed: 0, unused: [] };
  if ((await keysOf(store)).every((key) => key === before)) sealer.addKey();
  let resealed = 0;
  for (;;) {
    const key = sealer.current() ?? before;
    let others = 0;
    for (const kept of [store.datastores, store.marketplaces]) {
      const its = await kept.sealedOtherwise(key);
      others += its.length;
      for (const other of its) {
        const place = other.secret.place(other.id);
        const after = sealer.seal(sealer.open(other.sealed, place), place);
        if (await kept.reseal(other, after)) resealed += 1;
      }
    }
    if (others > 0) continue;
    const used = new Set([key, ...(await keysOf(store))]);
    return { key, resealed, unused: sealer.names().filter((name) => !used.has(name)) };
  }
}

/** Names of the keys that secrets are sealed with. */
async function keysOf({ datastores, marketplaces }: OperationsContext['store']): Promise<string[]> {
  return (await Promise.all([datastores, marketplaces].map((kept) => kept.sealingKeys()))).flat();
}
