import { randomUUID } from 'node:crypto';
import { watchCommits } from '../../runtime/servers/watch-commits.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { askUntilGranted, type Granted, type Wish } from './requests.js';
import { type Machine, type ShapeName, shaped } from './shapes.js';

/** VMs of the large service, role by role: three levels. */
export const levels = { database: 6, cache: 9, web: 15 };
export const largeVms = Object.values(levels).reduce((sum, vms) => sum + vms, 0);
/** VMs of each of the small ones. */
export const smallVms = 3;

/** Times that VMs take unless a case says otherwise: long enough for a kill to find something under way. */
const usualTimes = { boot_ms: { min: 100, max: 400 }, shutdown_ms: { min: 100, max: 400 } };

/** A cluster with hosts that take everything and templates to instantiate, for many runs one after the other. */
export class Cloud {
  readonly cluster: Cluster;
  readonly large: number;
  readonly small: number;
  /** How often VMs were to be made anew, by their ids. */
  readonly recreated = new Map<number, number>();
  readonly #release: (keep: boolean) => void;
  readonly #endWatch: () => Promise<void>;
  /** Large services that run, left by runs that deployed them. */
  readonly #spare: number[] = [];

  private constructor(cluster: Cluster, templates: { large: number; small: number }, release: (keep: boolean) => void) {
    this.cluster = cluster;
    this.large = templates.large;
    this.small = templates.small;
    this.#release = release;
    this.#endWatch = watched(cluster);
  }

  static async start(name: ShapeName, machine: Machine): Promise<Cloud> {
    const { shape, release } = await shaped(name, machine);
    let cluster: Cluster | undefined;
    try {
      cluster = await Cluster.start(shape);
      await makeHosts(cluster.client, 4, 64, 65_536);
      const large = await makeServiceTemplate(cluster.client, 'large', {
        roles: [
          { name: 'database', cardinality: levels.database },
          { name: 'cache', parents: ['database'], cardinality: levels.cache },
          { name: 'web', parents: ['cache'], cardinality: levels.web, min_vms: 0, max_vms: 100, cooldown: 0 },
        ],
      });
      const small = await makeServiceTemplate(cluster.client, 'small', {
        roles: [{ name: 'one' }, { name: 'two', parents: ['one'], cardinality: smallVms - 1 }],
      });
      return new Cloud(cluster, { large, small }, release);
    } catch (error) {
      await cluster?.stop();
      release(false);
      throw error;
    }
  }

  async stop({ keep }: { keep: boolean }): Promise<void> {
    await this.#endWatch();
    await this.cluster.stop({ keep });
    this.#release(keep);
  }

  /** Sets the times that VMs take. */
  async pace(times: object = {}): Promise<void> {
    await this.cluster.simulator.send('PUT', '/settings', { ...usualTimes, ...times });
  }

  /** Asks for all at once, by way of every api in turn. */
  ask(wishes: readonly Wish[]): Promise<Granted[]> {
    return Promise.all(wishes.map((wish, at) => askUntilGranted(this.cluster, wish, randomUUID(), at)));
  }

  /** A large service that runs. */
  async running(): Promise<number> {
    const spare = this.#spare.pop();
    if (spare !== undefined) return spare;
    const { client } = this.cluster;
    const service = await client.instantiate(this.large);
    await client.awaitService(service, 'RUNNING');
    return service;
  }

  /** Makes room again after a run: one large service that runs is kept for the next, the others go. */
  async tidy(services: readonly number[], kept: boolean): Promise<void> {
    const { client } = this.cluster;
    const [spare, ...others] = kept ? services : [undefined, ...services];
    if (spare !== undefined) this.#spare.push(spare);
    await Promise.all(
      others.map(async (service) => {
        const wish = { method: 'DELETE', path: `/services/${service}` } as const;
        const { operation } = await askUntilGranted(this.cluster, wish, randomUUID(), 0);
        await client.awaitOperation(operation, 'succeeded');
      }),
    );
  }
}

/** As `npm start` does: a MongoDB that commits nothing for a minute is killed and started again. */
function watched({ servers: { mongodb } }: Cluster): () => Promise<void> {
  const [member] = mongodb.members;
  if (member === undefined) throw new Error('a replica set has a member');
  const kill = async (): Promise<void> => {
    await member.kill();
    await member.startAgain();
  };
  return watchCommits({ uri: mongodb.uri, pid: () => member.pid, kill });
}
