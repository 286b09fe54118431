import { Problem } from '../../domain/problems.js';
import { nearestName } from '../../schemas/common/nearest-name.js';
import type { Role, Service } from '../../schemas/services/service.js';

/** The role of a service that has this name; else `not_found`. */
export function roleOf({ _id: id, roles }: Pick<Service, '_id' | 'roles'>, name: string): Role {
  const role = roles.find((one) => one.name === name);
  if (role) return role;
  const close = nearestName(
    name,
    roles.map((one) => one.name),
  );
  const hint = close === undefined ? '' : ` Did you mean "${close}"?`;
  throw new Problem('not_found', `Service ${id} has no role "${name}".${hint}`);
}
