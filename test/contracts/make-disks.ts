import { storages } from '../../adapters/storage/storages.js';
import { StorageKind } from '../../schemas/storage/stored.js';
import { allHere } from '../support/no-storages.js';

// Started as a process, to be killed: keeps what guests of VMs are told, and makes disks of them on image 1 of datastore 1, in datastore 2, and says which
// there are.
const [, , base = '', kind, count, epoch] = process.argv;
const ds_mad = StorageKind.parse(kind);
const storage = storages({ ARCUS_HOME: base, ARCUS_DATASTORES: base }, allHere).of({ ds_mad });
const { signal } = new AbortController();
for (let vm = 1; vm <= Number(count); vm++) {
  const claim = { vm, disk: 0, datastore: { id: 2, ds_mad }, epoch: Number(epoch) };
  await storage.keepContext(claim, [{ name: 'context.sh', text: `EPOCH='${epoch}'\n`.repeat(20_000) }], signal);
  await storage.makeDisk(claim, { from: { id: 1, datastore: { id: 1, ds_mad } }, way: 'clone', size: null }, signal);
  process.stdout.write(`made ${vm}\n`);
}
