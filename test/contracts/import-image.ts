import { bringIn } from '../../adapters/storage/bring-in.js';
import { sourcesBy } from '../../adapters/storage/sources/sources.js';
import { storages } from '../../adapters/storage/storages.js';
import { StorageKind } from '../../schemas/storage/stored.js';
import { connectionsGiven } from '../support/given-connection.js';

// Started as a process, to be killed: makes image 1 of datastore 1 of a source, and says how far it is.
const [, , base = '', kind, source = '', epoch, safe = '/'] = process.argv;
const ds_mad = StorageKind.parse(kind);
const storage = storages({ ARCUS_HOME: base, ARCUS_DATASTORES: base }, connectionsGiven()).of({ ds_mad });
const from = source.startsWith('http') ? { url: source } : { path: source };
let most = 0;
const watch = setInterval(() => {
  most = Math.max(most, process.memoryUsage.rss());
}, 20);
watch.unref();
let last = '';
const kept = await bringIn(
  { storage, sources: sourcesBy({ safe: [safe], kept: [], allowed: ['127.0.0.0/8'] }) },
  { id: 1, datastore: { id: 1, ds_mad }, epoch: Number(epoch) },
  { from, content: 'disk', mostBytes: 1024 ** 4, mostVirtual: 1024 ** 4, mostPublished: 1024 ** 4 },
  ({ phase, done }) => {
    const said = `${phase} ${Math.floor(done / 1024 ** 2)}`;
    if (said !== last) process.stdout.write(`${said}\n`);
    last = said;
  },
  new AbortController().signal,
);
process.stdout.write(`kept ${JSON.stringify({ ...kept, rss: most })}\n`);
