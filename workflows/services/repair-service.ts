import { local } from '../activity-options.js';
import { type DeploymentInput, deployRoles } from './deploy-roles.js';

/**
 * Brings a service that was deployed back to what it should be: VMs whose state is not known are looked for, those that
 * failed are replaced, those that are missing made anew. What runs goes on running.
 */
export async function repairService(input: DeploymentInput): Promise<void> {
  await deployRoles(input, local.beginRepair);
}
