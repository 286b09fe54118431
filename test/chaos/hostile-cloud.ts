import type { HostileCase, Reply, Tenant } from '../../bench/hostile/cases.js';
import { WatchedLoops } from '../../bench/hostile/watched-loops.js';
import { Cluster } from '../support/cluster.js';
import { ClusterClient } from '../support/cluster-client.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';

type Looked = { replies: Reply[]; api: number; worker: number };

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
      let names = 0;
      const tenant = { client: hostile, vmTemplate, fresh: () => `thing-${++names}` };
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
    const { state } = await client.awaitOperation(id, 'succeeded', 'failed', 'cancelled');
    if (state !== 'succeeded') throw new Error(`the other user’s operation ${id} is ${state}`);
    return performance.now() - begin;
  }

  /** Does it so many times, and says how long the event loops have stood at most in the last of them, in ms. */
  async stretchOf(ask: HostileCase['attack'], times: number): Promise<Looked> {
    const looked: Looked = { replies: [], api: 0, worker: 0 };
    for (let time = 0; time < times; time++) {
      const since = Date.now();
      looked.replies.push(await ask(this.tenant));
      // What an answer leaves to be done is done soon after; and the watch writes at its next tick.
      await new Promise((resolve) => setTimeout(resolve, 300));
      const [api = 0, worker = 0] = this.#pids.map((pid) => this.#loops.longestOf(pid, since));
      Object.assign(looked, { api, worker });
    }
    return looked;
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
