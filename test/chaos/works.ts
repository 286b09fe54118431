import { type Cloud, largeVms, smallVms } from './cloud.js';
import type { Wish } from './requests.js';

/** What goes on while something is broken. */
export type Work = {
  name: string;
  /** Milliseconds that it takes when nothing is broken, or a little more: a random moment is one of these. */
  span: number;
  /** Where its services end. */
  aim: 'RUNNING' | 'DONE';
  /** VMs of each service. */
  vms: number;
  /** Gets ready, and says what is to be asked for. */
  prepare: (cloud: Cloud) => Promise<Wish[]>;
};

const instantiate = (template: number): Wish => ({ path: `/service-templates/${template}/instantiate` });

export const deployLarge: Work = {
  name: '30 VMs deploy',
  span: 2_000,
  aim: 'RUNNING',
  vms: largeVms,
  prepare: async ({ large }) => [instantiate(large)],
};

export const undeployLarge: Work = {
  name: '30 VMs undeploy',
  span: 2_000,
  aim: 'DONE',
  vms: largeVms,
  prepare: async (cloud) => [{ path: `/services/${await cloud.running()}/undeploy` }],
};

export const deployMany: Work = {
  name: '20 services deploy',
  span: 3_500,
  aim: 'RUNNING',
  vms: smallVms,
  prepare: async ({ small }) => Array.from({ length: 20 }, () => instantiate(small)),
};
