import type { CreateNetwork, Network, NetworkDriver } from '../../schemas/networks/network.js';
import type { Finding } from '../problems.js';

/** How networks of a driver are told apart on one card; null: they are not. */
const vlans: Readonly<Record<NetworkDriver, { first: number; last: number } | null>> = {
  dummy: null,
  bridge: null,
  '802.1Q': { first: 1, last: 4_094 },
  vxlan: { first: 1, last: 16_777_215 },
};

/** The first number that is drawn: 1 is what switches have without a word. */
const firstDrawn = 2;

type Wish = Pick<CreateNetwork, 'vn_mad' | 'bridge' | 'phydev' | 'vlan_id'>;

/** What is wrong with how a network is to be connected. */
export function connectionFindings({ vn_mad, phydev, vlan_id }: Wish): Finding[] {
  const vlan = vlans[vn_mad];
  const wrong = (pointer: string, detail: string): Finding[] => [{ pointer, detail }];
  if (!vlan)
    return [
      ...(phydev === undefined ? [] : wrong('/phydev', `is for 802.1Q and vxlan, and this is ${vn_mad}`)),
      ...(vlan_id === undefined ? [] : wrong('/vlan_id', `is for 802.1Q and vxlan, and this is ${vn_mad}`)),
    ];
  return [
    ...(phydev === undefined ? wrong('/phydev', `is required: ${vn_mad} goes over a card of the hosts`) : []),
    ...(vlan_id !== undefined && vlan_id > vlan.last
      ? wrong('/vlan_id', `must be at most ${vlan.last} for ${vn_mad}`)
      : []),
  ];
}

/** Whether a wish says how VMs are connected on hosts, which is for those to say who have the hosts. */
export const saysConnection = ({ vn_mad, bridge, phydev, vlan_id }: Wish): boolean =>
  vn_mad !== 'dummy' || bridge !== undefined || phydev !== undefined || vlan_id !== undefined;

/** Whether a number has to be drawn for it. */
export const drawsVlan = ({ vn_mad, vlan_id }: Wish): boolean => vlans[vn_mad] !== null && vlan_id === undefined;

/** The first number that no network of the driver has; null: there is none. */
export function freeVlan(driver: NetworkDriver, taken: ReadonlySet<number>): number | null {
  const last = vlans[driver]?.last ?? 0;
  for (let vlan = firstDrawn; vlan <= last; vlan += 1) if (!taken.has(vlan)) return vlan;
  return null;
}

/** How VMs of a network are connected. `drawn`: the number that was drawn for it; null: none was. */
export const connectionOf = (
  id: number,
  { vn_mad, bridge, phydev, vlan_id }: Wish,
  drawn: number | null,
): Pick<Network, 'vn_mad' | 'bridge' | 'phydev' | 'vlan_id' | 'vlan_drawn'> => ({
  vn_mad,
  bridge: bridge ?? `onebr${id}`,
  phydev: phydev ?? null,
  vlan_id: vlan_id ?? drawn,
  vlan_drawn: drawn !== null,
});
