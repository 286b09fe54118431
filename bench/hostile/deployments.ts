import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { limits } from '../../schemas/common/limits.js';
import { type HostileCase, many, type Reply, type Tenant } from './tenant.js';

const Accepted = z.object({ id: z.string(), resource: z.object({ id: z.int() }) });
const Stated = z.object({ state: z.string() });
const Items = z.object({ items: z.array(z.unknown()) });

const instantiate = (tenant: Tenant, template: number | undefined, body: object = {}): Promise<Reply> =>
  tenant.client.send('POST', `/service-templates/${template}/instantiate`, body);

/** Deploys a service, undeploys it, and returns the answer to the latter. */
async function deployAndUndeploy(tenant: Tenant, template: number | undefined): Promise<Reply> {
  const { client } = tenant;
  const done = async (accepted: Reply): Promise<number> => {
    const { id, resource } = Accepted.parse(accepted.body);
    for (;;) {
      const { state } = Stated.parse((await client.send('GET', `/operations/${id}`)).body);
      if (state === 'succeeded') return resource.id;
      if (/^(?:failed|cancelled)$/.test(state)) throw new Error(`operation ${id} is ${state}`);
      await sleep(100);
    }
  };
  const service = await done(await instantiate(tenant, template));
  const undeployed = await client.send('POST', `/services/${service}/undeploy`, {});
  await done(undeployed);
  return undeployed;
}

const usualDeployment = (tenant: Tenant): Promise<Reply> => deployAndUndeploy(tenant, tenant.serviceTemplate);

/** Adds to a VM template by PATCH until that is refused; fails when it never is. */
async function growVmTemplate({ client, fresh }: Tenant): Promise<number> {
  const id = await client.make('/vm-templates', { name: fresh(), template: { CPU: 0.1, MEMORY: 1 } });
  for (let bytes = 0, at = 0; bytes <= 4 * limits.vmTemplate.most; bytes += 4_000, at++) {
    const { status } = await client.send('PATCH', `/vm-templates/${id}`, {
      template: Object.fromEntries(many(40, (nth) => [`A${at}_${nth}`, 'x'.repeat(100)])),
    });
    if (status === 200) continue;
    if (status === 400 && at > 5) return id;
    throw new Error(`the PATCH ${at} of a VM template is answered ${status}`);
  }
  throw new Error('a VM template grows and grows');
}

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
        // No VM: none takes another's place.
        roles: many(100, (at) => ({
          name: `r${at}`,
          vm_template,
          cardinality: 0,
          vm_template_contents: `A1=${at}\nAPPEND="A2,A3"\nA2=2\nA3=3`,
        })),
      });
    },
    attack: (tenant) => instantiate(tenant, service),
  };
}

/** As many `$A` as fit into a service template, and a value of 30 kB: what would become of it has 7 GB. */
function valueNamedAgainAndAgain(): HostileCase {
  let service: number | undefined;
  return {
    name: 'a custom attribute that 240 roles name a thousand times each, with a value of 30 kB',
    async prepare(tenant) {
      service = await tenant.client.make('/service-templates', {
        name: tenant.fresh(),
        custom_attrs: { A: 'M|text|a' },
        roles: many(240, (at) => ({
          name: `r${at}`,
          vm_template: tenant.vmTemplate,
          vm_template_contents: `X="${'$A'.repeat(1_000)}"`,
        })),
      });
    },
    attack: (tenant) =>
      instantiate(tenant, service, { merge_template: { custom_attrs_values: { A: 'x'.repeat(30_000) } } }),
  };
}

function growingVmTemplate(): HostileCase {
  let grown: number | undefined;
  let times = 0;
  return {
    name: 'a PATCH that adds as much as there may be to a VM template that is full',
    async prepare(tenant) {
      grown = await growVmTemplate(tenant);
    },
    attack: (tenant) =>
      tenant.client.send('PATCH', `/vm-templates/${grown}`, {
        template: Object.fromEntries(many(limits.attributes.most - 10, (at) => [`B${times++}_${at}`, 'x'.repeat(20)])),
      }),
  };
}

/** Each VM carries a copy of it, and steps read them. */
function manyVmsOfGrownTemplate(): HostileCase {
  let service: number | undefined;
  return {
    name: 'a role of 400 VMs whose template has grown to the limit, deployed and undeployed',
    once: true,
    async prepare(tenant) {
      const vm_template = await growVmTemplate(tenant);
      service = await tenant.client.make('/service-templates', {
        name: tenant.fresh(),
        roles: [{ name: 'a', vm_template, cardinality: 400 }],
      });
    },
    attack: (tenant) => deployAndUndeploy(tenant, service),
    harmless: usualDeployment,
  };
}

/** They wait when the other's deployment begins, and go on waiting: comes last. */
function neverPlaced(): HostileCase {
  let one: number | undefined;
  return {
    name: 'a VM that no host takes, behind a thousand that none takes either',
    async prepare(tenant) {
      const { client, vmTemplate, fresh } = tenant;
      const template = (roles: number, cardinality: number) =>
        client.make('/service-templates', {
          name: fresh(),
          roles: many(roles, (at) => ({
            name: `r${at}`,
            vm_template: vmTemplate,
            cardinality,
            // Each role asks for something else, and so does each service: they are looked at one by one.
            vm_template_contents: `SCHED_REQUIREMENTS="CLUSTER_ID = ${10_000 + at} | CLUSTER_ID = $CLUSTER"`,
          })),
          custom_attrs: { CLUSTER: 'M|number|' },
        });
      const fifty = await template(10, 50);
      one = await template(1, 1);
      for (const CLUSTER of [20_000, 20_001])
        await instantiate(tenant, fifty, { merge_template: { custom_attrs_values: { CLUSTER } } });
      for (let waiting = 0; waiting < 1_000; ) {
        await sleep(200);
        const { body } = await client.send('GET', '/vms?state=PENDING&limit=1000&fields=id');
        waiting = Items.parse(body).items.length;
      }
    },
    attack: (tenant) => instantiate(tenant, one, { merge_template: { custom_attrs_values: { CLUSTER: 20_002 } } }),
  };
}

/** Those whose worst is what they lead to. */
export const hostileDeployments: readonly HostileCase[] = [
  largeVmTemplateUnderManyRoles(),
  valueNamedAgainAndAgain(),
  growingVmTemplate(),
  manyVmsOfGrownTemplate(),
  neverPlaced(),
];
