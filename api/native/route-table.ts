import { consistencyRoutes } from './consistency/consistency.js';
import { whatIfRoutes } from './failover/what-if.js';
import { clusterRoutes } from './hosts/clusters.js';
import { hostRoutes } from './hosts/hosts.js';
import { aclRoutes } from './identity/acls.js';
import { groupRoutes } from './identity/groups.js';
import { quotaRoutes } from './identity/quotas.js';
import { tokenRoutes } from './identity/tokens.js';
import { userRoutes } from './identity/users.js';
import { appRoutes } from './market/apps.js';
import { marketplaceRoutes } from './market/marketplaces.js';
import { networkTemplateRoutes } from './networks/network-templates.js';
import { networkRoutes } from './networks/networks.js';
import { securityGroupRoutes } from './networks/security-groups.js';
import { operationActionRoutes } from './operations/operation-actions.js';
import { operationRoutes } from './operations/operations.js';
import type { Route } from './route.js';
import { policyRoutes } from './scaling/policies.js';
import { scalingRoutes } from './scaling/scaling.js';
import { scheduleRoutes } from './scaling/schedules.js';
import { serviceTemplateRoutes } from './services/service-templates.js';
import { serviceRoutes } from './services/services.js';
import { datastoreRoutes } from './storage/datastores.js';
import { imageRoutes } from './storage/images.js';
import { secretRoutes } from './storage/secrets.js';
import { metricsRoutes } from './vms/metrics.js';
import { vmTemplateRoutes } from './vms/vm-templates.js';
import { vmRoutes } from './vms/vms.js';
import { whyRoutes } from './why/why.js';

/** The whole native API: Express serves it, the OpenAPI document describes it, the tests walk it. */
export const routeTable: readonly Route[] = [
  ...serviceTemplateRoutes,
  ...serviceRoutes,
  ...scalingRoutes,
  ...policyRoutes,
  ...scheduleRoutes,
  ...vmTemplateRoutes,
  ...vmRoutes,
  ...hostRoutes,
  ...metricsRoutes,
  ...clusterRoutes,
  ...whatIfRoutes,
  ...datastoreRoutes,
  ...imageRoutes,
  ...secretRoutes,
  ...networkRoutes,
  ...networkTemplateRoutes,
  ...securityGroupRoutes,
  ...marketplaceRoutes,
  ...appRoutes,
  ...operationRoutes,
  ...operationActionRoutes,
  ...consistencyRoutes,
  ...quotaRoutes,
  ...userRoutes,
  ...groupRoutes,
  ...aclRoutes,
  ...tokenRoutes,
  ...whyRoutes,
];
