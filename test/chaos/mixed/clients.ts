import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { OperationResource } from '../../../schemas/operations/operation-resource.js';
import type { Cluster } from '../../support/cluster.js';
import type { Pick, Seen, Templates, Wish } from './wish.js';
import { lots } from './wishes.js';

/** What was asked for under a key, and the answer that the client had in the end; null: none in all its patience. */
export type Asked = Wish & { name: string; key: string; status: number | null; operation: string | null };

const Services = z.object({ items: z.array(z.object({ id: z.int(), state: z.string() })) });
const Vms = z.object({
  items: z.array(z.object({ id: z.int(), service_id: z.int().nullable(), state: z.string(), lcm_state: z.string() })),
});
const Ids = z.object({ items: z.array(z.object({ id: z.int() })) });
const Operations = z.object({ items: z.array(z.object({ id: z.string() })) });

/** Longer than any break lasts, with what comes after it. */
const patience = 120_000;

/** Asks for one thing after the other, each until it is answered, while `goesOn`; returns all that was asked. */
export async function playClient(
  cluster: Cluster,
  { name, dice, templates, goesOn }: { name: string; dice: () => number; templates: Templates; goesOn: () => boolean },
): Promise<Asked[]> {
  const pick: Pick = (items) => items[Math.floor(dice() * items.length)];
  const asked: Asked[] = [];
  while (goesOn()) {
    // Who cannot see what there is asks again, as people do.
    const seen = await look(cluster, templates, pick).catch(() => null);
    const kind = pick(lots);
    const wish = seen && kind?.wish(seen, pick);
    if (kind && wish)
      asked.push(await ask(cluster, { ...wish, name: kind.name, key: `${name}-${asked.length}` }, pick));
    await sleep(dice() * 300);
  }
  return asked;
}

/** By way of any api; one that is away makes it fail. */
async function look(cluster: Cluster, templates: Templates, pick: Pick): Promise<Seen> {
  const client = pick(cluster.clients) ?? cluster.client;
  const operationsIn = async (states: readonly string[]): Promise<string[]> => {
    const { items } = await client.ask(Operations, 'GET', `/operations?limit=100&state=${pick(states)}`);
    return items.map(({ id }) => id);
  };
  const [services, vms, hosts, images, open, asking, failed] = await Promise.all([
    client.ask(Services, 'GET', '/services?limit=1000'),
    client.ask(Vms, 'GET', '/vms?limit=1000'),
    client.ask(Ids, 'GET', '/hosts?limit=1000'),
    client.ask(Ids, 'GET', '/images?limit=1000'),
    operationsIn(['accepted', 'running', 'running', 'waiting']),
    operationsIn(['waiting_for_you']),
    operationsIn(['failed', 'cancelled']),
  ]);
  return {
    ...templates,
    services: services.items.map(({ id }) => id),
    vms: vms.items.map(seenVm),
    singles: vms.items.filter(({ service_id }) => service_id === null).map(seenVm),
    hosts: hosts.items.map(({ id }) => id),
    images: images.items.map(({ id }) => id),
    open,
    asking,
    failed,
  };
}

const seenVm = ({ id, state, lcm_state }: z.output<typeof Vms>['items'][number]) => ({
  id,
  state: state === 'ACTIVE' ? lcm_state : state,
});

/** Again under the same key after a death or an error of the server, by way of any api, until there is an answer. */
async function ask(cluster: Cluster, wish: Wish & { name: string; key: string }, pick: Pick): Promise<Asked> {
  for (const until = Date.now() + patience; ; await sleep(250)) {
    const client = pick(cluster.clients) ?? cluster.client;
    const answer = await client.send(wish.method, wish.path, wish.body, { key: wish.key }).catch(() => null);
    if (answer && answer.status < 500) {
      const operation = OperationResource.safeParse(answer.body);
      return { ...wish, status: answer.status, operation: operation.success ? operation.data.id : null };
    }
    if (Date.now() > until) return { ...wish, status: answer?.status ?? null, operation: null };
  }
}
