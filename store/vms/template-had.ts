import { diskWishes, imageWishes } from '../../domain/vms/disk-wishes.js';
import { nicWishes } from '../../domain/vms/nic-wishes.js';
import { hadOf } from '../../domain/vms/vm-had.js';
import type { Had } from '../../schemas/identity/amounts.js';
import type { Network } from '../../schemas/networks/network.js';
import { type ImagesFinding, imageNamed } from './disk-images.js';
import { type NetworksFinding, networkNamed } from './nic-networks.js';

type Finding = Omit<NetworksFinding, 'securityGroups'> & ImagesFinding;
type OnNetwork = Pick<Network, '_id' | 'parent'>;

/**
 * What VMs of an owner will have of networks and images, by NIC and DISK of their template. What is not there is not counted: it is
 * charged to the VM that comes to have it. `coming`: networks that are to be made before the VMs. Each is looked up once, however
 * many roles name it.
 */
export function hadByTemplates(where: Finding, owner: number, coming: readonly OnNetwork[]) {
  const network = once((wish: Parameters<ReturnType<typeof networkNamed>>[0]) => {
    const made = 'id' in wish ? coming.find(({ _id }) => _id === wish.id) : undefined;
    return made ? Promise.resolve(made) : networkNamed(where)(wish, owner);
  });
  const image = once((wish: Parameters<typeof imageNamed>[1]) => imageNamed(where, wish, owner));
  return async ({ NIC, DISK }: { NIC?: unknown; DISK?: unknown }): Promise<Had> => {
    const networks: OnNetwork[] = [];
    for (const wish of nicWishes(NIC)) networks.push(...listOf(await network(wish.network)));
    const images: number[] = [];
    for (const { of } of imageWishes(diskWishes(DISK).wishes))
      images.push(...listOf(await image(of.image)).map(({ _id }) => _id));
    return hadOf(networks, images);
  };
}

const listOf = <T>(found: T | null): T[] => (found === null ? [] : [found]);

/** Asked for the same again, the same answer. */
function once<W, T>(look: (wish: W) => Promise<T>): (wish: W) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (wish) => {
    const key = JSON.stringify(wish);
    const found = known.get(key) ?? look(wish);
    known.set(key, found);
    return found;
  };
}
