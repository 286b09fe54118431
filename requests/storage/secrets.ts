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
  if ((await store.secrets.sealingKeys()).every((key) => key === before)) sealer.addKey();
  let resealed = 0;
  for (;;) {
    const key = sealer.current() ?? before;
    const others = await store.secrets.sealedOtherwise(key);
    if (others.length === 0) {
      const used = new Set([key, ...(await store.secrets.sealingKeys())]);
      return { key, resealed, unused: sealer.names().filter((name) => !used.has(name)) };
    }
    for (const other of others) {
      const { place, sealed } = other;
      const after = sealer.seal(sealer.open(sealed, place), place);
      if (await store.secrets.reseal(other, after)) resealed += 1;
    }
  }
}
