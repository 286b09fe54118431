import type { ManagedKind } from '../../schemas/kinds.js';

type Making = {
  /** Whose business it is: work is that of admins of groups, too; a place is that of administrators alone; a wire is made by these. */
  as: 'work' | 'place' | 'wire';
  /** It can be replaced as a whole (PUT). */
  replaced: boolean;
  /** What is sent to make one; `vmTemplate`: one that its maker may use. */
  body: (name: string, vmTemplate: number) => object;
  /** A change of one, each another one. */
  patch: (at: number) => object;
};

const template = { CPU: 1, MEMORY: 64 };

/** How one of each is made and changed, for the tests that go through all kinds; before those that name it. */
export const made: Record<ManagedKind, Making> = {
  cluster: {
    as: 'place',
    replaced: false,
    body: (name) => ({ name }),
    patch: (at) => ({ attributes: { EDITOR: String(at) } }),
  },
  host: {
    as: 'place',
    replaced: false,
    body: (name) => ({ name, cpu: 4, memory: 1024 }),
    patch: (at) => ({ attributes: { EDITOR: String(at) } }),
  },
  datastore: {
    as: 'place',
    replaced: false,
    body: (name) => ({ name }),
    patch: (at) => ({ limit_mb: 1_000 + at }),
  },
  network: {
    as: 'wire',
    replaced: false,
    body: (name) => ({ name, address_ranges: [{ type: 'IP4', ip: '192.0.2.1', size: 50 }] }),
    patch: (at) => ({ attributes: { EDITOR: String(at) } }),
  },
  network_template: {
    as: 'place',
    replaced: false,
    body: (name) => ({ name, address_ranges: [{ type: 'IP4', ip: '192.0.2.1', size: 50 }] }),
    patch: (at) => ({ attributes: { EDITOR: String(at) } }),
  },
  security_group: {
    as: 'wire',
    replaced: false,
    body: (name) => ({ name, rules: [{ protocol: 'ICMP', rule_type: 'inbound' }] }),
    patch: (at) => ({ rules: [{ protocol: 'TCP', rule_type: 'inbound', range: `${at + 1}` }] }),
  },
  market: {
    as: 'place',
    replaced: false,
    body: (name) => ({
      ...{ name, market_mad: 'http' },
      http: { base_url: 'http://market.example.org', public_dir: '/srv/market' },
    }),
    patch: (at) => ({ description: `edited by ${at}` }),
  },
  vm_template: {
    as: 'work',
    replaced: true,
    body: (name) => ({ name, template }),
    patch: (at) => ({ template: { EDITOR: String(at) } }),
  },
  service_template: {
    as: 'work',
    replaced: true,
    body: (name, vm_template) => ({ name, roles: [{ name: 'web', vm_template }] }),
    patch: (at) => ({ custom_attrs: { EDITOR: String(at) } }),
  },
};
