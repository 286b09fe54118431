import type { Router } from 'express';
import { z } from 'zod';
import { firstNames } from '../../../domain/services/later-names.js';
import type { Operations } from '../../../requests/operations.js';
import { ScaleRole } from '../../../schemas/scaling/scaling.js';
import { RoleTemplate } from '../../../schemas/services/service-template.js';
import { actionOf, type Perform } from '../action.js';
import {
  type Answer,
  type Asked,
  addRoutes,
  type Counting,
  checked,
  done,
  jsonOf,
  objectOf,
  refused,
} from '../route.js';

/** The cardinality may be a text; it may be missing, and then stays as it is. */
const Wish = z.object({
  cardinality: z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : (value ?? undefined)),
    ScaleRole.shape.cardinality.optional(),
  ),
  force: z.preprocess((value) => value === true || value === 'true', z.boolean()),
});

/** How the cardinality of a role is set: by a path of its own until 5.12, and from then on by one for all roles. */
export function scalingRoutes(router: Router, { services, scaling }: Operations, metrics: Counting): void {
  async function scale({ caller, id, ways, admission, accepted }: Asked, name: string, sent: unknown): Promise<Answer> {
    const wish = checked(Wish, objectOf(sent));
    const role = (await services.show(caller, id)).roles.find((one) => one.name === name);
    if (!role) throw refused(`ROLE "${name}" does not exist`);
    const { cardinality = role.cardinality, force } = wish;
    if (cardinality === role.cardinality) {
      if (ways.sameCardinality === 'taken') return done;
      throw refused(`Cardinality of ${name} is already at ${cardinality}`);
    }
    await scaling.scale(caller, id, name, { cardinality, force }, admission);
    accepted('scaleRole');
    return done;
  }

  /** A role comes as JSON, or as the text of such. */
  function roleOf(sent: unknown): RoleTemplate {
    const role = typeof sent === 'string' ? jsonOf(sent, refused('Action add_role: role is not valid JSON')) : sent;
    const { roles } = objectOf(firstNames({ roles: [objectOf(role)] }));
    return checked(RoleTemplate, Array.isArray(roles) ? roles[0] : role);
  }

  const roleActions: Record<string, Perform> = {
    add_role: async ({ caller, id, admission, accepted }, { role }) => {
      if (role === undefined) throw refused('Action add_role: You have to specify a role');
      await scaling.addRole(caller, id, roleOf(role), admission);
      accepted('addRole');
    },
    remove_role: async ({ caller, id, admission, accepted }, { role }) => {
      if (typeof role !== 'string') throw refused('Action remove_role: You have to specify a role');
      const found = (await services.show(caller, id)).roles.some(({ name }) => name === role);
      if (!found) throw refused(`Role ${role} does not exist`);
      await scaling.removeRole(caller, id, role, {}, admission);
      accepted('removeRole');
    },
  };

  addRoutes(router, metrics, [
    { method: 'post', path: '/service/{id}/role_action', answer: actionOf(roleActions) },
    { method: 'put', path: '/service/{id}/role/{role}', answer: (asked) => scale(asked, asked.role, asked.body) },
    {
      method: 'post',
      path: '/service/{id}/scale',
      answer: (asked) => {
        const { role_name } = checked(z.looseObject({ role_name: z.string() }), objectOf(asked.body));
        return scale(asked, role_name, asked.body);
      },
    },
  ]);
}
