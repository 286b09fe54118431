import { administrators } from '../../schemas/identity/group.js';
import { defaultUmask } from '../../schemas/identity/user.js';
import type { Directory } from '../../store/identity/directory.js';
import { generatedHash, hashPassword } from './passwords.js';

/** Makes `oneadmin` (id 0, group 0) with this password; one that exists already is left as it is. */
export async function ensureOneadmin({ users, version }: Directory, password: string): Promise<void> {
  const password_hash = await hashPassword(password);
  await version.change(async (transaction) => {
    if (await users.find(0, transaction)) return;
    const groups = [administrators];
    const generated = generatedHash(password) ?? null;
    const fresh = {
      generated,
      enabled: true,
      umask: defaultUmask,
      attributes: {},
      credentials: 0,
      created_at: new Date(),
    };
    await users.insert({ _id: 0, name: 'oneadmin', gid: administrators, groups, password_hash, ...fresh }, transaction);
  });
}
