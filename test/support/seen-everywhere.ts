import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from './cluster.js';
import { withTemporal } from './cluster-histories.js';

/** Whatever people and programs of others can look at, but for what opens secrets: by where it is. `paths`: what is asked of the API beside lists. */
export async function seenEverywhere(cluster: Cluster, paths: readonly string[]): Promise<Record<string, string>> {
  const connection = cluster.store.connection;
  const collections = (await connection.listCollections())
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('system.'));
  const documents = await Promise.all(collections.map((name) => connection.collection(name).find().toArray()));
  const histories = await withTemporal(cluster, async (client) => {
    const all = [];
    for await (const { workflowId, runId } of client.workflow.list())
      all.push(await client.workflow.getHandle(workflowId, runId).fetchHistory());
    return all;
  });
  const logs = readdirSync(cluster.directory).filter((name) => name.endsWith('.log'));
  const asked = ['/datastores', '/images', '/operations', '/consistency-checks', ...paths];
  const lists = await Promise.all(asked.map((path) => cluster.client.send('GET', path)));
  const commands = readdirSync('/proc').flatMap((pid) => (/^\d+$/.test(pid) ? [readOr(`/proc/${pid}/cmdline`)] : []));
  return {
    ...{ documents: JSON.stringify(documents), lists: JSON.stringify(lists.map(({ body }) => body)) },
    histories: Buffer.from(JSON.stringify(histories)).toString('utf8'),
    payloads: payloadsIn(histories),
    logs: logs.map((name) => readFileSync(join(cluster.directory, name), 'utf8')).join('\n'),
    commands: commands.join('\n'),
  };
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** What is in Base64 in a history, as text. */
function payloadsIn(value: unknown): string {
  if (value instanceof Uint8Array) return `${Buffer.from(value).toString('utf8')}\n`;
  if (typeof value === 'string') return `${Buffer.from(value, 'base64').toString('utf8')}\n`;
  if (typeof value !== 'object' || value === null) return '';
  return Object.values(value).map(payloadsIn).join('');
}
