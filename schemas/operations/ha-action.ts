import { z } from 'zod';

/**
 * What becomes of the VMs of a host that has failed. recreate: they are made anew on other hosts, with the addresses that they had and
 * disks as their images are; migrate: they are started there with the disks that they had, which lie in a datastore; delete: they are ended.
 */
export const HaAction = z.enum(['recreate', 'migrate', 'delete']);
export type HaAction = z.infer<typeof HaAction>;
