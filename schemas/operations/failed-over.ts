/**
 * What a failover has come to at one VM. waits: for its turn, or for what is at work on it; under_way: it is ended, or started elsewhere;
 * recovered: it runs, there or elsewhere, or is off and has left the host; gone: it has ended; pending: it fits nowhere now, and its own
 * operation goes on as soon as it does; stays: `why` says what keeps it.
 */
export type FailedOver = {
  /** Rises with each entry: one that is late changes nothing. */
  turn: number;
  at: Date;
  outcome: 'waits' | 'under_way' | 'recovered' | 'gone' | 'pending' | 'stays';
  /** What it was when the failover saw it first. */
  was: 'running' | 'off';
  /** Of one that is pending, the deployment that waits for room. */
  op: string | null;
  /** What it waits for, or what keeps it. */
  why: string | null;
};
