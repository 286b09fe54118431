import { imagesOf } from '../../domain/vms/disk-wishes.js';
import type { ContextFacts } from '../../domain/vms/guest-context.js';
import { macOf } from '../../domain/vms/vm-devices.js';
import type { NetworkAttributes } from '../../schemas/networks/network.js';
import type { Nic } from '../../schemas/operations/vm-devices.js';
import type { Image } from '../../schemas/storage/image.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Directory } from '../identity/directory.js';
import type { Store } from '../store.js';

/** What the CONTEXT of a VM may refer to, as it is now. */
export async function guestFacts(
  { store, users }: { store: Pick<Store, 'networks' | 'images'>; users: Directory['users'] },
  { _id: id, uid, name, template, user_template, nics = [], disks }: Vm,
): Promise<ContextFacts> {
  const [owner, networks, images] = await Promise.all([
    users.find(uid),
    store.networks.byIds(nics.flatMap(({ lease }) => lease?.network ?? [])),
    store.images.byIds(imagesOf(disks)),
  ]);
  const told = new Map(networks.map(({ _id, attributes }) => [_id, attributes]));
  return {
    vm: { id, name, attributes: { ...user_template, ...template }, template },
    owner: { uid, name: owner?.name ?? String(uid), attributes: owner?.attributes ?? {} },
    images: images.map(ofImage),
    nics: nics.map((nic) => ofNic(id, nic, told.get(nic.lease?.network ?? -1) ?? {})),
  };
}

/** What its network tells guests is what it says now. */
const ofNic = (vm: number, nic: Nic, network: NetworkAttributes) => ({
  ...network,
  ...leaseOf(nic),
  NIC_ID: String(nic.nic_id),
  MAC: macOf(vm, nic),
  ...(nic.network !== null && { NETWORK: nic.network }),
});

const ofImage = ({ _id, name, size_mb, attributes }: Image): Record<string, string> => ({
  ...attributes,
  ...{ IMAGE: name, IMAGE_ID: String(_id), NAME: name, SIZE: String(size_mb) },
});

const leaseOf = ({ lease }: Nic): Record<string, string> =>
  lease === undefined
    ? {}
    : {
        NETWORK_ID: String(lease.network),
        ...(lease.ip !== null && { IP: lease.ip }),
        ...(lease.ip6_global !== null && { IP6_GLOBAL: lease.ip6_global }),
        ...(lease.ip6_ula !== null && { IP6_ULA: lease.ip6_ula }),
        ...(lease.vlan_id !== null && { VLAN_ID: String(lease.vlan_id) }),
      };
