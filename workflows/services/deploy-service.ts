import { local } from '../activity-options.js';
import { type DeploymentInput, deployRoles } from './deploy-roles.js';

/** Deploys a service role by role, parents first where it says `straight`; after a failure, it goes on from what is. */
export async function deployService(input: DeploymentInput): Promise<void> {
  await deployRoles(input, local.beginDeployment);
}
