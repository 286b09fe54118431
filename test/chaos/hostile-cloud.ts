import { setTimeout as sleep } from 'node:timers/promises';
import { harmlessLike, recorded } from '../../bench/hostile/harmless.js';
import type { HostileCase, Reply, Tenant } from '../../bench/hostile/tenant.js';
import { WatchedLoops } from '../../bench/hostile/watched-loops.js';
import { Cluster } from '../support/cluster.js';
import { ClusterClient } from '../support/cluster-client.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { eventually } from '../support/processes.js';
import { settle } from '../support/settle.js';

/** Milliseconds that the event loops stand at a stretch. */
type Stretches = { api: number; worker: number };

const password = 'of-a-test';

/** A small cloud of which two users without rights beyond their own objects have a part each. */
export class HostileCloud {
  readonly #loops: WatchedLoops;
  readonly #pids: readonly number[];

  private constructor(
    readonly cluster: Cluster,
    readonly tenant: Tenant,
    /** The other user, and his service template. */
    readonly other: { client: ClusterClient; template: number },
    loops: WatchedLoops,
  ) {
    this.#loops = loops;
    this.#pids = [cluster.api(0).pid, cluster.worker(0).pid];
  }

  static async start(shape: Parameters<typeof Cluster.start>[0] = {}): Promise<HostileCloud> {
    const loops = new WatchedLoops();
    const watched = { api: loops.environment, worker: loops.environment };
    const cluster = await Cluster.start({ ...shape, environments: watched });
    try {
      await makeHosts(cluster.client, 2, 64, 65_536);
      const signedUp = async (name: string): Promise<ClusterClient> => {
        await cluster.client.make('/users', { name, password });
        return new ClusterClient(cluster.client.url, { name, password });
      };
      const [hostile, other] = [await signedUp('mallory'), await signedUp('alice')];
      const vmTemplate = await hostile.make('/vm-templates', { name: 'small', template: { CPU: 0.1, MEMORY: 16 } });
      const serviceTemplate = await hostile.make('/service-templates', {
        name: 'small',
        roles: [{ name: 'a', vm_template: vmTemplate }],
      });
      let names = 0;
      const tenant = { client: hostile, vmTemplate, serviceTemplate, fresh: () => `thing-${++names}` };
      const roles = [{ name: 'one' }, { name: 'two', parents: ['one'], cardinality: 3 }];
      const template = await makeServiceTemplate(other, 'of alice', { roles });
      return new HostileCloud(cluster, tenant, { client: other, template }, loops);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Milliseconds that the other user's deployment takes; fails unless it succeeds. */
  async deployOther(): Promise<number> {
    const begin = performance.now();
    const { client, template } = this.other;
    const { id } = await client.accepted('POST', `/service-templates/${template}/instantiate`, {});
    await this.#ended(id);
    return performance.now() - begin;
  }

  /** A deployment of the other user that waits for a host until there is one. */
  async deployOtherOnNewHost(): Promise<void> {
    const { client } = this.other;
    const template = { CPU: 1, MEMORY: 100_000 };
    const vm_template = await client.make('/vm-templates', { name: 'larger than any host', template });
    const body = { name: 'of alice, too', roles: [{ name: 'one', vm_template }] };
    const service = await client.make('/service-templates', body);
    const { id, resource } = await client.accepted('POST', `/service-templates/${service}/instantiate`, {});
    await eventually(async () => (await client.vmsOf(resource.id)).some(({ reason }) => reason !== null));
    await this.cluster.client.make('/hosts', { name: 'late', cpu: 8, memory: 200_000 });
    await this.#ended(id);
  }

  async #ended(operation: string): Promise<void> {
    const { state } = await this.other.client.awaitOperation(operation, 'succeeded', 'failed', 'cancelled');
    if (state !== 'succeeded') throw new Error(`the other user’s operation ${operation} is ${state}`);
  }

  /**
   * Gives the attack while the other user deploys, and a harmless request of the same size before and after. How long the
   * loops stand is what the same costs each time: the least of some times, of which there are more when it is too much, for
   * a loop also stands while something else is done, such as the collection of garbage.
   */
  async compare({ attack, harmless, once }: HostileCase, tooMuch: (stood: Stretches, like: Stretches) => boolean) {
    const { tenant, last } = recorded(this.tenant);
    const deployed = this.deployOther();
    const [first, took] = await settle([this.#look(() => attack(tenant)), deployed]);
    const sent = last();
    const ask = harmless ?? ((tenant: Tenant) => harmlessLike(tenant, sent));
    await ask(this.tenant);
    const like = (await this.#look(() => ask(this.tenant))).stood;
    const replies = [first.reply];
    let stood = once ? first.stood : null;
    for (let time = 0; time < 3 && (stood === null || tooMuch(stood, like)); time++) {
      const next = await this.#look(() => attack(tenant));
      replies.push(next.reply);
      stood = stood
        ? { api: Math.min(stood.api, next.stood.api), worker: Math.min(stood.worker, next.stood.worker) }
        : next.stood;
    }
    return { took, replies, stood: stood ?? first.stood, like };
  }

  /** What is answered, and how long the event loops have stood at most meanwhile and soon after. */
  async #look(ask: () => Promise<Reply>): Promise<{ reply: Reply; stood: Stretches }> {
    const since = Date.now();
    const reply = await ask();
    // What an answer leaves to be done is done soon; and the watch writes at its next tick.
    await sleep(100);
    const [api = 0, worker = 0] = this.#pids.map((pid) => this.#loops.longestOf(pid, since));
    return { reply, stood: { api, worker } };
  }

  /** Whether every process is still the one that was started: nobody had to start it again. */
  get isWhole(): boolean {
    return ![...this.cluster.apis, ...this.cluster.workers].some(({ hasEnded }) => hasEnded);
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    this.#loops.release();
  }
}
