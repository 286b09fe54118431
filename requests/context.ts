import type { Engine } from '../adapters/engine/port.js';
import type { Directory } from '../store/identity/directory.js';
import type { Store } from '../store/store.js';

/** What operations need; the api gives them the real ones. */
export type OperationsContext = {
  store: Store;
  directory: Directory;
  engine: Engine;
  settings: {
    /** Base address of the Temporal UI, for links; undefined: no links. */
    temporalUiUrl: string | undefined;
    /** Namespace of the runs there; absent: the one that Arcus makes. */
    temporalNamespace?: string;
    /** How many logins of one name from one address may fail in 15 minutes. */
    failedLogins: number;
  };
  /** Told of work that goes on after the answer and has failed: reconciliation will repair it. */
  onDelayed: (message: string, error: unknown) => void;
};

/** Of a request that starts an operation. */
export type Admission = {
  /** From Idempotency-Key: the same key and request give the same operation. */
  idempotencyKey?: string;
  requestId: string;
};
