import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceRef } from '../../schemas/operations/operation.js';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Cluster } from '../support/cluster.js';
import type { ClusterClient } from '../support/cluster-client.js';

/** A request that starts a long operation. */
export type Wish = { method?: 'POST' | 'DELETE'; path: string; body?: object };

/** A wish that was granted, and everything that was answered untruthfully on the way. */
export type Granted = { key: string; operation: string; resource: ResourceRef; untruths: string[] };

/** How long a client goes on asking. */
const patience = 300_000;

/**
 * Asks as a client does that wants to be sure: with an Idempotency-Key, again after a death or an error of the server,
 * until it is accepted. Each answer is compared with what MongoDB then has.
 */
export async function askUntilGranted(
  cluster: Cluster,
  { method = 'POST', path, body }: Wish,
  key: string,
  first: number,
): Promise<Granted> {
  const untruths: string[] = [];
  const until = Date.now() + patience;
  for (let at = first; ; at++) {
    const client = cluster.clients[at % cluster.clients.length] ?? cluster.client;
    const answer = await answerOf(client, method, path, method === 'POST' ? (body ?? {}) : body, key);
    if (answer?.status === 202) {
      const { id, resource } = OperationResource.parse(answer.body);
      return { key, operation: id, resource, untruths };
    }
    if (answer !== undefined) untruths.push(...(await untruthOf(cluster, path, key, answer, until)));
    if (answer !== undefined && answer.status < 500) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    if (Date.now() > until) throw new Error(`${path}: not accepted in ${patience / 1000} s; ${JSON.stringify(answer)}`);
    await sleep(250);
  }
}

type Answer = { status: number; body: unknown };

/** undefined: the server died, or has not answered. */
async function answerOf(
  client: ClusterClient,
  method: 'POST' | 'DELETE',
  path: string,
  asked: object | undefined,
  key: string,
): Promise<Answer | undefined> {
  try {
    const { status, body } = await client.send(method, path, asked, { key });
    return { status, body };
  } catch {
    return undefined;
  }
}

/** A request that was refused has left nothing, unless the refusal says that it does not know. */
async function untruthOf(
  cluster: Cluster,
  path: string,
  key: string,
  { status, body }: Answer,
  until: number,
): Promise<string[]> {
  for (;;) {
    try {
      const left = await cluster.store.operations.model.findOne({ idempotency_key: key }).lean().exec();
      return left === null ? [] : [`${path} was answered ${status} ${JSON.stringify(body)}, but left ${left._id}`];
    } catch (error) {
      if (Date.now() > until) throw error;
      await sleep(250);
    }
  }
}
