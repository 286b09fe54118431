import type { HostState } from '../../schemas/hosts/host.js';
import { isOn, type OperationKind, type OperationOn } from '../../schemas/operations.js';

type Host = { state: HostState; vms: number };
type Row = {
  /** What it does, said of a host: `flushing host 3`. */
  does: string;
  /** Whether one that has not succeeded is still what somebody may wish for, as its host is now. */
  isWished: (host: Host) => boolean;
  /** Whether what came of one that has not succeeded still matters to whoever asks why its host is as it is. */
  isTold: (host: Host) => boolean;
};

const rows: Readonly<Record<OperationOn<'host'>, Row>> = {
  flushHost: {
    does: 'flushing',
    // A host that was enabled since is not to be flushed any more.
    isWished: ({ state }) => state === 'DISABLED',
    isTold: ({ state, vms }) => state === 'DISABLED' && vms > 0,
  },
  failoverHost: {
    does: 'failing over',
    isWished: ({ state }) => state === 'ERROR' || state === 'DISABLED',
    isTold: ({ state, vms }) => (state === 'ERROR' || state === 'DISABLED') && vms > 0,
  },
  testFencing: {
    does: 'turning off and on',
    isWished: ({ state, vms }) => state === 'DISABLED' && vms === 0,
    isTold: ({ state, vms }) => state === 'DISABLED' && vms === 0,
  },
};

/** null: it is on something else, or nothing is known of it. */
export const onHost = (kind: OperationKind | null): Row | null =>
  kind !== null && isOn('host', kind) ? rows[kind] : null;
