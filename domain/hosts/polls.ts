/** Seconds from one poll of the hosts to the next. */
export const pollEvery = 20;

/** Milliseconds after which what a host has said of a VM says nothing any more: three polls, of which two may fail. */
export const staleAfter = 3 * pollEvery * 1_000;
