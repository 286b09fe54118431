import type { RoleTemplate, ServiceTemplateResource } from '../../../schemas/services/service-template.js';
import { ofOneadmin } from '../identity/owner-examples.js';

/** As somebody sends it. */
export const shopBody = {
  name: 'shop',
  deployment: 'straight',
  roles: [
    { name: 'web', vm_template: 0, cardinality: 2, parents: ['db'], failure_policy: { finally: 'wait' } },
    { name: 'db', vm_template: 0 },
  ],
};

/** Its roles with what is said by default. */
export const roles = {
  web: {
    name: 'web',
    cardinality: 2,
    vm_template: 0,
    parents: ['db'],
    failure_policy: { retries: 0, replacements: 0, finally: 'wait' },
  },
  db: { name: 'db', cardinality: 1, vm_template: 0, parents: [] },
} satisfies Record<string, RoleTemplate>;

export const shop = {
  id: 0,
  name: 'shop',
  ...ofOneadmin,
  revision: 1,
  body: { name: 'shop', deployment: 'straight', ready_status_gate: false, roles: [roles.web, roles.db] },
  warnings: [],
  created_at: '2026-05-04T09:30:00.000Z',
} satisfies ServiceTemplateResource;
