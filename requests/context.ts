import type { Engine } from '../adapters/engine/port.js';
import type { Screens } from '../adapters/hypervisor/screens.js';
import type { Sealer } from '../adapters/process/sealer.js';
import type { Storages } from '../adapters/storage/port.js';
import type { Directory } from '../store/identity/directory.js';
import type { Transaction } from '../store/mongo/transaction.js';
import type { createTurns } from '../store/mongo/turns.js';
import type { Store } from '../store/store.js';
import type { Passwords } from './identity/passwords.js';
import type { Pace } from './pace.js';

/** What operations need; the api gives them the real ones. */
export type OperationsContext = {
  store: Store;
  directory: Directory;
  engine: Engine;
  /** Where the bytes go that people send. */
  storages: Storages;
  /** Where the screens of guests are; absent: none is reached. */
  screens?: Screens;
  /** Seals what is secret, and opens it. */
  sealer: Sealer;
  settings: {
    /** Base address of the Temporal UI, for links; undefined: no links. */
    temporalUiUrl: string | undefined;
    /** Namespace of the runs there; absent: the one that Arcus makes. */
    temporalNamespace?: string;
    /** On whose clocks scheduled policies are due that name no zone; absent: UTC. */
    timeZone?: string;
    /** How many VMs an action comes to at a time, and seconds between, of whoever says only the other; absent: 1, 60. */
    actionNumber?: number;
    actionPeriod?: number;
    /** Seconds between polls of hosts; absent: as by default. */
    monitoringInterval?: number;
    /** How many logins of one name from one address may fail in 15 minutes. */
    failedLogins: number;
  };
  /** Told of work that goes on after the answer and has failed: reconciliation will repair it. */
  onDelayed: (message: string, error: unknown) => void;
};

/** With what the requests of one process share. */
export type RequestsContext = OperationsContext & {
  passwords: Passwords;
  /** For who waits for what a VM has changed. */
  pace: Pace;
  /** By user: how many screens are open. */
  openScreens: Map<number, number>;
  /** By user: what one has merged and checked that takes long goes on one after the other. */
  takeTurns: ReturnType<typeof createTurns>;
};

/** Of a request that starts an operation. */
export type Admission = {
  /** From Idempotency-Key: the same key and request give the same operation. */
  idempotencyKey?: string;
  requestId: string;
  /** In the transaction that admits it: what is written with it, and whether it still may. Absent: nothing. */
  also?: (operation: string, transaction: Transaction) => Promise<boolean>;
};
