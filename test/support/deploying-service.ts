import { defaultPermissions } from '../../schemas/common/common.js';
import type { Service } from '../../schemas/services/service.js';
import { ServiceTemplateBody } from '../../schemas/services/service-template.js';

export const roleNames = ['front', 'middle', 'back'];

/** A service of three roles in the hands of a deployment that has begun nothing yet. */
export function deployingService(id: number, op: string): Service {
  const roles = roleNames.map((name) => ({ name, vm_template: 0 }));
  const { roles: parsed, ...body } = ServiceTemplateBody.parse({ name: `service ${id}`, roles });
  return {
    _id: id,
    ...{ uid: 0, gid: 0, permissions: defaultPermissions },
    name: body.name,
    template_id: 0,
    state: 'DEPLOYING',
    roles: parsed.map((role) => ({ ...role, state: 'PENDING', reason: null, last_vmname: 0, mark: null })),
    body,
    log: [],
    operation: op,
    wanted: null,
    holds: {},
    epoch: 0,
    created_at: new Date(),
    ended_at: null,
  };
}
