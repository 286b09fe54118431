import type { z } from 'zod';
import { ClusterResource } from '../schemas/hosts/cluster.js';
import { HostResource } from '../schemas/hosts/host.js';
import { AclResource } from '../schemas/identity/acl.js';
import { GroupResource } from '../schemas/identity/group.js';
import { UserResource } from '../schemas/identity/user.js';
import { type Kind, kinds } from '../schemas/kinds.js';
import { AppResource } from '../schemas/market/app.js';
import { MarketplaceResource } from '../schemas/market/marketplace.js';
import { NetworkResource } from '../schemas/networks/network.js';
import { NetworkTemplateResource } from '../schemas/networks/network-template.js';
import { SecurityGroupResource } from '../schemas/networks/security-group.js';
import { OperationDetail, OperationResource } from '../schemas/operations/operation-resource.js';
import { ServiceResource, ServiceSummary } from '../schemas/services/service.js';
import { ServiceTemplateResource } from '../schemas/services/service-template.js';
import { DatastoreResource } from '../schemas/storage/datastore.js';
import { ImageResource } from '../schemas/storage/image.js';
import { VmResource } from '../schemas/vms/vm.js';
import { VmTemplateResource } from '../schemas/vms/vm-template.js';

/** Where objects of a kind are, and what they look like: `item` in a list, `whole` by itself. */
type Collection = { path: string; item: z.ZodType; whole: z.ZodType };

/** The kinds that can be listed and shown: their routes, and what these answer. */
export const collections = {
  service: { path: kinds.service.path, item: ServiceSummary, whole: ServiceResource },
  vm: { path: kinds.vm.path, item: VmResource, whole: VmResource },
  vm_template: { path: kinds.vm_template.path, item: VmTemplateResource, whole: VmTemplateResource },
  service_template: {
    path: kinds.service_template.path,
    item: ServiceTemplateResource,
    whole: ServiceTemplateResource,
  },
  host: { path: kinds.host.path, item: HostResource, whole: HostResource },
  cluster: { path: kinds.cluster.path, item: ClusterResource, whole: ClusterResource },
  datastore: { path: kinds.datastore.path, item: DatastoreResource, whole: DatastoreResource },
  image: { path: kinds.image.path, item: ImageResource, whole: ImageResource },
  network: { path: kinds.network.path, item: NetworkResource, whole: NetworkResource },
  network_template: {
    path: kinds.network_template.path,
    item: NetworkTemplateResource,
    whole: NetworkTemplateResource,
  },
  security_group: { path: kinds.security_group.path, item: SecurityGroupResource, whole: SecurityGroupResource },
  market: { path: kinds.market.path, item: MarketplaceResource, whole: MarketplaceResource },
  app: { path: kinds.app.path, item: AppResource, whole: AppResource },
  user: { path: kinds.user.path, item: UserResource, whole: UserResource },
  group: { path: kinds.group.path, item: GroupResource, whole: GroupResource },
  acl: { path: kinds.acl.path, item: AclResource, whole: AclResource },
  operation: { path: kinds.operation.path, item: OperationResource, whole: OperationDetail },
} as const satisfies Partial<Record<Kind, Collection>>;

export type Collections = typeof collections;
export type CollectionName = keyof Collections;
