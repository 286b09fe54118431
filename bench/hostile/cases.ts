import { limits } from '../../schemas/limits.js';

export type Reply = { status: number; body: unknown };
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Paths are below /api/v1; a body that is a string is sent as it is. */
export type Sender = {
  send(method: Method, path: string, body?: object | string, headers?: Record<string, string>): Promise<Reply>;
  /** Makes an object and returns its id. */
  make(path: string, body: object): Promise<number>;
};

/** What a tenant without rights beyond his own objects has to begin with. */
export type Tenant = {
  client: Sender;
  /** A small VM template of his own. */
  vmTemplate: number;
  /** Makes names that are not taken. */
  fresh(): string;
};

/**
 * The worst that can be sent of a kind. `attack` is given again and again while another user works; its answers may be
 * anything but a fault of Arcus. `harmless`: as many bytes of the same kind, as people send them; absent: there is nothing
 * like it, and what is compared is a large service template.
 */
export type HostileCase = {
  name: string;
  /** Done once, before anybody else works. */
  prepare?(tenant: Tenant): Promise<void>;
  attack(tenant: Tenant): Promise<Reply>;
  harmless?(tenant: Tenant): Promise<Reply>;
};

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

/** A body as it is, past what would write it as JSON. */
const raw = (tenant: Tenant, path: string, body: string) =>
  tenant.client.send('POST', path, body, { 'content-type': 'application/json' });

const template = (tenant: Tenant, roles: readonly object[], over: object = {}) =>
  tenant.client.send('POST', '/service-templates', {
    name: tenant.fresh(),
    deployment: 'straight',
    roles: roles.map((role) => ({ vm_template: tenant.vmTemplate, ...role })),
    ...over,
  });

/** As large as a service template may be, and of the kind that people write. */
export const largeTemplate = (tenant: Tenant): Promise<Reply> =>
  template(
    tenant,
    many(100, (at) => ({
      name: `role_${at}`,
      parents: at === 0 ? [] : [`role_${at - 1}`],
      vm_template_contents: many(100, (line) => `ATTRIBUTE_${line}="value ${line} of role ${at}"`).join('\n'),
    })),
  );

const bodyBytes = limits.body.most - 1_000;

/** Each row is a kind of input; whoever finds another adds a row. */
export const hostileCases: readonly HostileCase[] = [
  {
    name: 'a recurrence of digits that is none',
    attack: (tenant) =>
      template(tenant, [
        {
          name: 'a',
          min_vms: 1,
          max_vms: 2,
          scheduled_policies: [{ type: 'CHANGE', adjust: 1, recurrence: `${'1'.repeat(32)}! * * * *` }],
        },
      ]),
  },
  {
    name: 'as many recurrences as there may be, each of many numbers',
    attack: (tenant) =>
      template(
        tenant,
        many(10, (role) => ({
          name: `r${role}`,
          min_vms: 1,
          max_vms: 2,
          scheduled_policies: many(limits.policies.most, (at) => ({
            type: 'CHANGE',
            adjust: 1,
            recurrence: `${many(60, (minute) => (minute + at) % 60).join(',')} * * * *`,
          })),
        })),
      ),
  },
  {
    name: 'a text of escaped quotes',
    attack: (tenant) => raw(tenant, '/service-templates', `"${'\\"'.repeat(bodyBytes / 2)}"`),
  },
  {
    name: 'a list of empty objects',
    attack: (tenant) => raw(tenant, '/service-templates', `[${'{},'.repeat(bodyBytes / 3)}{}]`),
  },
  { name: 'brackets', attack: (tenant) => raw(tenant, '/service-templates', ']'.repeat(bodyBytes)) },
  { name: 'line breaks', attack: (tenant) => raw(tenant, '/service-templates', `${'\n'.repeat(bodyBytes)}]`) },
  {
    name: 'names that nobody knows',
    attack: (tenant) =>
      tenant.client.send(
        'POST',
        '/vm-templates',
        Object.fromEntries(many(limits.bodyValues.most - 10, (at) => [`templat${at}`, 0])),
      ),
  },
  {
    name: 'policies of nothing',
    attack: (tenant) =>
      template(tenant, [{ name: 'a', elasticity_policies: many(limits.bodyValues.most - 10, () => ({})) }]),
  },
  {
    name: 'attributes as many as a body may have',
    attack: (tenant) =>
      tenant.client.send('POST', '/vm-templates', {
        name: tenant.fresh(),
        template: Object.fromEntries(many(limits.bodyValues.most - 10, (at) => [`A${at}`, 0])),
      }),
  },
  {
    name: 'names that are none, as many as a body may have',
    attack: (tenant) =>
      tenant.client.send('POST', '/vm-templates', {
        name: tenant.fresh(),
        template: Object.fromEntries(many(limits.bodyValues.most - 10, (at) => [`-${at}`, 0])),
      }),
  },
  {
    name: 'a template text of short lines',
    attack: (tenant) =>
      tenant.client.send('POST', '/vm-templates', many(limits.bodyValues.most, (at) => `A${at}=1`).join('\n'), {
        'content-type': 'text/plain',
      }),
  },
  {
    name: 'comments, and quotes behind them',
    attack: (tenant) =>
      raw(tenant, '/service-templates', `${'/**/'.repeat(100_000)}"${'\\"'.repeat(bodyBytes / 2 - 210_000)}"`),
  },
  {
    name: 'a thousand roles with sixty affinities each',
    attack: (tenant) =>
      template(
        tenant,
        many(1_000, (at) => ({
          name: `r${at}`,
          placement: { affinity: many(60, (nth) => `r${(at * 7 + nth * 13) % 1_000}`) },
        })),
      ),
  },
  {
    name: 'as many affinities as there may be, between a thousand roles',
    attack: (tenant) =>
      template(
        tenant,
        many(1_000, (at) => ({
          name: `r${at}`,
          placement: { affinity: many(5, (nth) => `r${(at * 7 + nth * 131 + 1) % 1_000}`) },
        })),
      ),
  },
  {
    name: 'as many parents as there may be, in circles',
    attack: (tenant) =>
      template(
        tenant,
        many(450, (at) => ({
          name: `${'r'.repeat(20)}${at}`,
          parents: many(22, (nth) => `${'r'.repeat(20)}${(at + nth + 1) % 450}`),
        })),
      ),
  },
  {
    name: 'parents that there are not',
    attack: (tenant) =>
      template(
        tenant,
        many(450, (at) => ({ name: `role_name_${at}`, parents: many(22, (nth) => `rolf_nama_${at}_${nth}`) })),
      ),
  },
  {
    name: 'requirements as long as they may be in each role',
    attack: (tenant) =>
      template(
        tenant,
        many(230, (at) => ({
          name: `r${at}`,
          vm_template_contents: `SCHED_REQUIREMENTS="${many(490, () => 'A=1').join('&')}"`,
        })),
      ),
  },
  {
    name: 'an address of slashes',
    attack: (tenant) => tenant.client.send('GET', `/hosts${'/'.repeat(60_000)}a`),
  },
  {
    name: 'a filter of stars',
    attack: (tenant) =>
      tenant.client.send('GET', `/vms?filter=${encodeURIComponent(`name~*a*a*a${'|*a*b*c'.repeat(45)}`)}`),
  },
  {
    name: 'a filter of blanks',
    attack: (tenant) => tenant.client.send('GET', `/vms?filter=${encodeURIComponent(' '.repeat(1_000))}`),
  },
  largeVmTemplateUnderManyRoles(),
  growingVmTemplate(),
];

/** Each role's contents change one attribute of the largest VM template that there may be. */
function largeVmTemplateUnderManyRoles(): HostileCase {
  let service: number | undefined;
  return {
    name: 'the largest VM template under a service template of many roles, instantiated',
    async prepare(tenant) {
      const attributes = many(limits.attributes.most - 10, (at): [string, string] => [`A${at}`, 'x'.repeat(20)]);
      const vm_template = await tenant.client.make('/vm-templates', {
        name: tenant.fresh(),
        template: { CPU: 1, MEMORY: 1, ...Object.fromEntries(attributes) },
      });
      service = await tenant.client.make('/service-templates', {
        name: tenant.fresh(),
        // No host has the memory of one such VM: none takes another's place.
        roles: many(100, (at) => ({
          name: `r${at}`,
          vm_template,
          cardinality: 0,
          vm_template_contents: `A1=${at}\nAPPEND="A2,A3"\nA2=2\nA3=3`,
        })),
      });
    },
    attack: (tenant) => tenant.client.send('POST', `/service-templates/${service}/instantiate`, {}),
  };
}

/** Never larger than a VM template may be, however often it is added to. */
function growingVmTemplate(): HostileCase {
  let grown: number | undefined;
  let times = 0;
  return {
    name: 'a VM template that is added to by every PATCH',
    async prepare(tenant) {
      grown = await tenant.client.make('/vm-templates', { name: tenant.fresh(), template: { CPU: 1, MEMORY: 1 } });
    },
    attack: (tenant) =>
      tenant.client.send('PATCH', `/vm-templates/${grown}`, {
        template: Object.fromEntries(many(500, (at) => [`A${times++}_${at}`, 'x'.repeat(1_000)])),
      }),
  };
}
