import type { Ownership } from '../../schemas/common/common.js';
import type { CreateNetwork } from '../../schemas/networks/network.js';
import type {
  InstantiateNetwork,
  NetworkTemplate,
  NetworkTemplateEdit,
} from '../../schemas/networks/network-template.js';
import { keptAttributes } from '../attribute-names.js';
import { Problem } from '../problems.js';
import { rangesFault } from './ranges.js';

/** As it is kept, but for its name: what is not said is null. */
export const stored = ({
  vn_mad,
  bridge = '',
  ...rest
}: Omit<NetworkTemplateEdit, 'name'>): Omit<NetworkTemplate, keyof Ownership | '_id' | 'name' | 'created_at'> => ({
  vn_mad,
  bridge: bridge === '' ? null : bridge,
  ...{ phydev: rest.phydev ?? null, vlan_id: rest.vlan_id ?? null },
  ...{ attributes: rest.attributes, address_ranges: rest.address_ranges },
});

/** As it is edited, and as networks are made of it. */
export const contentsOf = ({
  name,
  vn_mad,
  bridge,
  phydev,
  vlan_id,
  ...rest
}: NetworkTemplate): NetworkTemplateEdit => ({
  ...{ name, vn_mad, attributes: rest.attributes, address_ranges: rest.address_ranges },
  ...(bridge !== null && { bridge }),
  ...(phydev !== null && { phydev }),
  ...(vlan_id !== null && { vlan_id }),
});

/** What a network of a template is to be, under this name. Throws where it would have too many ranges. */
export function networkOfTemplate(
  template: NetworkTemplate,
  name: string,
  { attributes = {}, address_ranges = [] }: Omit<InstantiateNetwork, 'name'>,
): CreateNetwork {
  const contents = contentsOf(template);
  const ranges = [...contents.address_ranges, ...address_ranges];
  const fault = rangesFault(ranges.length);
  if (fault !== null)
    throw new Problem('invalid_request', 'The network cannot be like that.', {
      findings: [{ pointer: '/address_ranges', detail: fault }],
    });
  const all = Object.entries({ ...contents.attributes, ...keptAttributes(attributes) });
  return { ...contents, name, attributes: Object.fromEntries(all), address_ranges: ranges };
}
