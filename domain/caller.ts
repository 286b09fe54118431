/** Who asks. `groups` are the ids of all groups, the primary one (`gid`) included. */
export type Caller = { id: number; name: string; gid: number; groups: number[] };
