/** What a snapshot is called in the qcow2 that has it: whoever changes that, a datastore or the hypervisor that has it open, calls it alike. */
export const snapshotName = (snapshot: number): string => `arcus.${snapshot}`;
