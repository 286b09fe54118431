import type { Cluster } from '../schemas/hosts/cluster.js';
import type { Host } from '../schemas/hosts/host.js';
import type { Documents, OwnedKind } from '../schemas/kinds.js';
import type { App } from '../schemas/market/app.js';
import type { Marketplace } from '../schemas/market/marketplace.js';
import type { Service } from '../schemas/services/service.js';
import type { Datastore } from '../schemas/storage/datastore.js';
import type { Image } from '../schemas/storage/image.js';
import type { Vm } from '../schemas/vms/vm.js';

/** What is kept of each kind of object that belongs to somebody. */
type ByKind = Documents & {
  service: Service;
  vm: Vm;
  host: Host;
  cluster: Cluster;
  datastore: Datastore;
  image: Image;
  market: Marketplace;
  app: App;
};
export type OwnedObject<K extends OwnedKind> = ByKind[K];
