/**
 * What a flush has come to at one VM. waits: for its turn, or for what is at work on it; moving: its migration is under way; moved: it
 * is on another host; gone: it has ended, or has no host any more; stays: `why` says what keeps it.
 */
export type Flushed = {
  /** Rises with each entry: one that is late changes nothing. */
  turn: number;
  at: Date;
  outcome: 'waits' | 'moving' | 'moved' | 'gone' | 'stays';
  /** Whether its migration was, or is to be, live; null: none was asked for. */
  live: boolean | null;
  /** Its migration. */
  op: string | null;
  /** What it waits for, or what keeps it; of one that was moved cold although it ran: what refused it live. */
  why: string | null;
};
