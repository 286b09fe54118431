import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Bench } from '../bench.js';
import { many, type Tenant } from '../hostile/tenant.js';
import type { Measured, Result } from '../result.js';
import { deployed, deployedTimes, middle, signUp } from './hostile.js';

/** As many as a user may have open where nobody has said otherwise. */
const operations = 200;
/** Requests at a time. */
const sentAtOnce = 50;
const slower = 2;
const looks = 3;

const Accepted = z.object({ id: z.string(), resource: z.object({ id: z.int() }) });

/** What one user can have the workers do at once. */
type Flood = { name: string; template(tenant: Tenant): Promise<number> };

const floods: readonly Flood[] = [
  {
    name: 'services of 100 roles of the largest VM template',
    async template({ client, fresh }) {
      const attributes = many(1_000, (at): [string, string] => [`A${at}`, 'x'.repeat(20)]);
      const template = { CPU: 1, MEMORY: 1, ...Object.fromEntries(attributes) };
      const vm_template = await client.make('/vm-templates', { name: fresh(), template });
      const roles = many(100, (at) => ({
        name: `r${at}`,
        vm_template,
        cardinality: 0,
        vm_template_contents: `A1=${at}\nAPPEND="A2,A3"\nA2=2\nA3=3`,
      }));
      return client.make('/service-templates', { name: fresh(), roles });
    },
  },
  {
    name: 'services that wait for capacity',
    async template({ client, fresh }) {
      const template = { CPU: 1, MEMORY: 1_000_000 };
      const vm_template = await client.make('/vm-templates', { name: fresh(), template });
      return client.make('/service-templates', { name: fresh(), roles: [{ name: 'a', vm_template, cardinality: 5 }] });
    },
  },
  {
    name: 'services of 50 VMs',
    template: ({ client, vmTemplate: vm_template, fresh }) =>
      client.make('/service-templates', { name: fresh(), roles: [{ name: 'a', vm_template, cardinality: 50 }] }),
  },
];

/**
 * How long a deployment of ten VMs takes while another user has as many operations at work as he may have; and how long one
 * of his own undeployments takes then.
 */
export async function measureTurns(bench: Bench): Promise<Measured> {
  const tenant = await signUp(bench, 'bench-turns');
  await deployed(bench);
  const alone = middle(await deployedTimes(bench, 5));
  const own = await ownUndeployment(bench, tenant);
  await own();
  const ownAlone = Math.min(
    await (await ownUndeployment(bench, tenant))(),
    await (await ownUndeployment(bench, tenant))(),
  );
  const results: Result[] = [];
  for (const { name, template } of floods) {
    const undeployOwn = await ownUndeployment(bench, tenant);
    const end = await flood(tenant, await template(tenant));
    const beside = await deployedTimes(bench, looks);
    const [open, ownBeside] = [await openOf(tenant), await undeployOwn()];
    const median = middle(beside);
    results.push({
      work: `turns: beside ${operations} ${name} of another user`,
      runs: looks,
      measured: `${beside.map((ms) => ms.toFixed(0)).join(', ')} ms; then ${open} of them open; own undeployment ${ownBeside.toFixed(0)} ms`,
      floor: `${alone.toFixed(0)} ms; own ${ownAlone.toFixed(0)} ms`,
      ratio: `${(median / alone).toFixed(2)} ×`,
      goal: `≤ ${slower} ×`,
      met: median <= slower * alone,
    });
    console.error(`  ${JSON.stringify(results.at(-1))}`);
    await end();
  }
  return { results, notes: ['turns: the floor is the same deployment alone'] };
}

/** Sends them all, and returns once they are accepted; the function that it returns deletes what came of them. */
async function flood({ client }: Tenant, template: number): Promise<() => Promise<void>> {
  const ids: number[] = [];
  let left = operations;
  const begin = performance.now();
  await Promise.all(
    many(sentAtOnce, async () => {
      while (left-- > 0) {
        const { status, body } = await client.send('POST', `/service-templates/${template}/instantiate`, {});
        if (status !== 202) throw new Error(`a request of a flood is answered ${status}: ${JSON.stringify(body)}`);
        ids.push(Accepted.parse(body).resource.id);
      }
    }),
  );
  console.error(`  accepted within ${(performance.now() - begin).toFixed(0)} ms`);
  return async () => {
    const begin = performance.now();
    for (let at = 0; at < ids.length; at += sentAtOnce)
      await Promise.all(ids.slice(at, at + sentAtOnce).map((id) => client.send('DELETE', `/services/${id}`)));
    while ((await openOf({ client })) > 0) await sleep(500);
    console.error(`  all gone after ${(performance.now() - begin).toFixed(0)} ms`);
  };
}

async function openOf({ client }: Pick<Tenant, 'client'>): Promise<number> {
  let open = 0;
  for (const state of ['accepted', 'running', 'waiting']) {
    const { body } = await client.send('GET', `/operations?state=${state}&limit=1000&fields=id`);
    open += z.object({ items: z.array(z.unknown()) }).parse(body).items.length;
  }
  return open;
}

/** Makes a small service of the tenant; the function that it returns undeploys that and says how many milliseconds it took. */
async function ownUndeployment({ arcus }: Bench, { client, serviceTemplate }: Tenant): Promise<() => Promise<number>> {
  const made = Accepted.parse(
    (await client.send('POST', `/service-templates/${serviceTemplate}/instantiate`, {})).body,
  );
  const { id } = made.resource;
  await arcus.reach([id], 'RUNNING');
  return async () => {
    const begin = performance.now();
    await client.send('POST', `/services/${id}/undeploy`, {});
    await arcus.reach([id], 'DONE');
    return performance.now() - begin;
  };
}
