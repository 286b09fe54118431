import { Problem } from '../../../domain/problems.js';
import type { Storage } from '../port.js';

const refused = async (): Promise<never> => {
  throw new Problem('not_implemented', 'Disks of VMs are not made in datastores of S3.');
};

/** What a guest has open is a file: there are none in a bucket. */
export const noDisks = {
  makeDisk: refused,
  findDisk: async () => undefined,
  growDisk: refused,
  removeDisk: async () => {},
  removeDisks: async () => {},
  keepContext: async (_claim, files) => (files.length === 0 ? { path: null } : refused()),
  takeMemory: async () => null,
  dropMemory: async () => {},
  pathOf: () => null,
  saveDisk: refused,
  snapshotDisk: refused,
  snapshotImage: refused,
  restoreDisk: refused,
} satisfies Partial<Storage>;
