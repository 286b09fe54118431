import { createSealer } from '../../../../adapters/process/sealer.js';
import { rotateSecrets } from '../../../../requests/storage/secrets.js';
import { connectMongodb } from '../../../../store/mongo/connection.js';
import { createStore } from '../../../../store/store.js';

// Started as a process, to be killed: replaces the keys of secrets, and dies before the so-manieth write.
const [, , uri = '', home = '', last] = process.argv;
const connection = await connectMongodb(uri);
const store = createStore(connection);
const sealer = createSealer({ ARCUS_HOME: home, ARCUS_SECRETS_KEY_FILE: undefined });
let left = Number(last);
/** Nothing of this process goes on behind it: no handler, no answer that is waited for. */
function write<A extends unknown[], T>(work: (...given: A) => T): (...given: A) => T {
  return (...given) => {
    if (left === 0) process.kill(process.pid, 'SIGKILL');
    left -= 1;
    return work(...given);
  };
}
const secrets = { ...store.secrets, reseal: write(store.secrets.reseal) };
const done = await rotateSecrets(
  { store: { ...store, secrets }, sealer: { ...sealer, addKey: write(sealer.addKey) } },
  { id: 0, name: 'oneadmin', gid: 0, groups: [0], rules: [] },
);
process.stdout.write(`rotated ${JSON.stringify(done)}\n`);
await connection.close();
