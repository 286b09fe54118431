import type { NetworkTemplateResource } from '../../schemas/networks/network-template.js';
import { fact, row, templateText } from './columns.js';
import { permissionsOf } from './one-program.js';

// `onevntemplate` of OpenNebula 5.8.

/** `onevntemplate list`. */
export const networkTemplateList = (all: readonly NetworkTemplateResource[]): string =>
  [
    row(['ID', -4], ['USER', 12], ['GROUP', 12], ['NAME', 28]),
    ...all.map(({ id, uname, gname, name }) => row([String(id), -4], [uname, 12], [gname, 12], [name, 28])),
  ].join('\n');

/** `onevntemplate show`. */
export const networkTemplateText = (template: NetworkTemplateResource): string => {
  const { vn_mad, bridge, phydev, vlan_id, attributes, address_ranges } = template;
  const said = { VN_MAD: vn_mad, BRIDGE: bridge, PHYDEV: phydev, VLAN_ID: vlan_id, ...attributes };
  const texts = (of: object): Record<string, string> =>
    Object.fromEntries(
      Object.entries(of).flatMap(([name, value]) =>
        value === null || value === undefined ? [] : [[name.toUpperCase(), String(value)]],
      ),
    );
  return [
    `TEMPLATE ${template.id} INFORMATION`,
    ...(
      [
        ['ID', template.id],
        ['NAME', template.name],
        ['USER', template.uname],
        ['GROUP', template.gname],
      ] as const
    ).flatMap(([name, value]) => fact(name, value, 15)),
    '',
    ...permissionsOf(template.permissions),
    '',
    'TEMPLATE CONTENTS',
    ...templateText({ ...texts(said), AR: address_ranges.map(texts) }),
  ].join('\n');
};
