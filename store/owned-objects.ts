import type { Cluster } from '../schemas/hosts/cluster.js';
import type { Host } from '../schemas/hosts/host.js';
import type { OwnedKind } from '../schemas/kinds.js';
import type { Service } from '../schemas/services/service.js';
import type { ServiceTemplate } from '../schemas/services/service-template.js';
import type { Vm } from '../schemas/vms/vm.js';
import type { VmTemplate } from '../schemas/vms/vm-template.js';

/** What is kept of each kind of object that belongs to somebody. */
type ByKind = {
  service: Service;
  vm: Vm;
  vm_template: VmTemplate;
  service_template: ServiceTemplate;
  host: Host;
  cluster: Cluster;
};
export type OwnedObject<K extends OwnedKind> = ByKind[K];
