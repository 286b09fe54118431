import type { Host } from '../../schemas/hosts/host.js';

/** Who says what is done when a host fails. One without a mark has its own where it has one. */
export const policyOwner = ({ ha, ha_of }: Pick<Host, 'ha' | 'ha_of'>): 'host' | 'cluster' =>
  ha_of ?? (ha ? 'host' : 'cluster');
