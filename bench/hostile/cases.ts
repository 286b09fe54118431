import { limits } from '../../schemas/common/limits.js';
import { hostileDeployments } from './deployments.js';
import { type HostileCase, many, type Reply, type Tenant } from './tenant.js';

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

/** Objects of names that nobody else has, as many as a body may have and each as large as one may be. */
const objectsOf = (name: (at: number) => string): Record<string, number>[] => {
  const each = limits.bodyMembers.most - 10;
  return many(Math.floor((limits.bodyValues.most - 100) / each), (nth) =>
    Object.fromEntries(many(each, (at) => [name(nth * each + at), 0])),
  );
};

/** The same again and again: it stays as large as it is. */
function changed(): Pick<HostileCase, 'prepare' | 'attack'> {
  let [id, times] = [0, 0];
  const attributes = () =>
    Object.fromEntries(many(limits.attributes.most - 10, (at) => [`A${at}`, `${times++} ${'x'.repeat(8)}`]));
  return {
    async prepare({ client, fresh }) {
      id = await client.make('/vm-templates', { name: fresh(), template: { CPU: 1, MEMORY: 1, ...attributes() } });
    },
    attack: ({ client }) => client.send('PATCH', `/vm-templates/${id}`, { template: attributes() }),
  };
}

/** Each row is a kind of input; whoever finds another adds a row. What leaves something behind that waits comes last. */
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
  { name: 'blanks', attack: (tenant) => raw(tenant, '/service-templates', `${' '.repeat(bodyBytes)}]`) },
  {
    name: 'a text that nothing ends',
    attack: (tenant) => raw(tenant, '/service-templates', `{"name": "${'\\u0061'.repeat(bodyBytes / 6 - 10)}`),
  },
  {
    name: 'lists in lists',
    attack: (tenant) =>
      raw(tenant, '/service-templates', `[${`${'['.repeat(60)}${']'.repeat(60)},`.repeat(bodyBytes / 121 - 1)}0]`),
  },
  {
    name: 'an object of as many names as fit into a body',
    attack: (tenant) =>
      tenant.client.send('POST', '/vm-templates', Object.fromEntries(many(60_000, (at) => [`templat${at}`, 0]))),
  },
  {
    name: 'names that nobody knows',
    attack: (tenant) => {
      const [first, ...others] = objectsOf((at) => `templat${at}`);
      return tenant.client.send('POST', '/vm-templates', {
        ...first,
        ...Object.fromEntries(others.map((other, at) => [`template${at}`, other])),
      });
    },
  },
  {
    name: 'policies of nothing',
    attack: (tenant) =>
      template(
        tenant,
        many(4, (at) => ({
          name: `r${at}`,
          elasticity_policies: many(limits.bodyMembers.most - 10, () => ({})),
        })),
      ),
  },
  {
    name: 'roles in which everything is wrong',
    attack: (tenant) =>
      template(
        tenant,
        many(limits.roles.most, (at) => ({
          name: `r-${at}`,
          ...{ cardinality: 'x', min_vms: 'x', max_vms: 'x', cooldown: 'x', shutdown_action: 'x', parents: [0, 0] },
          ...{ placement: { hosts: 0, affinity: 0, anti_affinity: 0 }, failure_policy: { retries: 'x', finally: 0 } },
        })),
      ),
  },
  {
    name: 'parents that are no texts',
    attack: (tenant) =>
      template(
        tenant,
        many(4, (at) => ({ name: `r${at}`, parents: many(limits.bodyMembers.most - 10, () => 0) })),
      ),
  },
  {
    name: 'attributes as many as a body may have',
    attack: (tenant) =>
      tenant.client.send('POST', '/vm-templates', {
        name: tenant.fresh(),
        template: { CPU: 1, MEMORY: 1, ...Object.fromEntries(objectsOf((at) => `A${at}`).entries()) },
      }),
  },
  {
    name: 'attributes as many as are looked at',
    attack: (tenant) =>
      tenant.client.send('POST', '/vm-templates', {
        name: tenant.fresh(),
        template: {
          CPU: 1,
          MEMORY: 1,
          DISK: objectsOf((at) => `A${at}`).slice(0, 2),
          ...objectsOf((at) => `B${at}`)[0],
        },
      }),
  },
  {
    name: 'names that are none, as many as a body may have',
    attack: (tenant) =>
      tenant.client.send('POST', '/vm-templates', {
        name: tenant.fresh(),
        template: { CPU: 1, MEMORY: 1, DISK: objectsOf((at) => `-${at}`) },
      }),
  },
  {
    name: 'a PATCH of all attributes of a VM template, as many as it may have',
    ...changed(),
  },
  {
    name: 'lines of contents, and faults behind them',
    attack: (tenant) =>
      template(tenant, [
        { name: 'a', vm_template_contents: `${'\n'.repeat(4 * limits.vmTemplate.most - 100)}${'x\n'.repeat(30)}` },
      ]),
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
    name: 'a plan too large for the engine: 450 roles with sixty parents of long names',
    attack: (tenant) =>
      template(
        tenant,
        many(450, (at) => ({
          name: `${'r'.repeat(90)}${at}`,
          parents: many(Math.min(at, 60), (nth) => `${'r'.repeat(90)}${at - nth - 1}`),
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
  ...hostileDeployments,
];
