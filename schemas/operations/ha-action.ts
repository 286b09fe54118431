import { z } from 'zod';

/**
 * What becomes of the VMs of a host that has failed. recreate: they are made anew on other hosts, with the addresses that they had and
 * disks as their images are; migrate: they are started there with the disks that they had, which lie in a datastore; delete: they are ended.
 */
export const HaAction = z.enum(['recreate', 'migrate', 'delete']);
export type HaAction = z.infer<typeof HaAction>;

/** What whoever has a VM wants to become of it then: FAILOVER of its user template. none: it stays where it was. */
export const FailoverWish = z.enum([...HaAction.options, 'none']);
export type FailoverWish = z.infer<typeof FailoverWish>;
