import type { Route } from './route.js';
import { aclRoutes } from './routes/acls.js';
import { clusterRoutes } from './routes/clusters.js';
import { consistencyRoutes } from './routes/consistency.js';
import { groupRoutes } from './routes/groups.js';
import { hostRoutes } from './routes/hosts.js';
import { operationActionRoutes } from './routes/operation-actions.js';
import { operationRoutes } from './routes/operations.js';
import { ownershipRoutes } from './routes/ownership.js';
import { quotaRoutes } from './routes/quotas.js';
import { serviceTemplateRoutes } from './routes/service-templates.js';
import { serviceRoutes } from './routes/services.js';
import { tokenRoutes } from './routes/tokens.js';
import { userRoutes } from './routes/users.js';
import { vmTemplateRoutes } from './routes/vm-templates.js';
import { vmRoutes } from './routes/vms.js';
import { whyRoutes } from './routes/why.js';

/** The whole native API: Express serves it, the OpenAPI document describes it, the tests walk it. */
export const routeTable: readonly Route[] = [
  ...serviceTemplateRoutes,
  ...serviceRoutes,
  ...vmTemplateRoutes,
  ...vmRoutes,
  ...hostRoutes,
  ...clusterRoutes,
  ...operationRoutes,
  ...operationActionRoutes,
  ...consistencyRoutes,
  ...ownershipRoutes,
  ...quotaRoutes,
  ...userRoutes,
  ...groupRoutes,
  ...aclRoutes,
  ...tokenRoutes,
  ...whyRoutes,
];
