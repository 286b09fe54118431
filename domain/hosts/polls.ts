/** How often hosts are asked what they have. `monitoringInterval`: seconds from one poll to the next; absent: 20. */
export type PollSettings = { monitoringInterval?: number };

/** Seconds from one poll of the hosts to the next. */
export const pollEvery = ({ monitoringInterval = 20 }: PollSettings): number => monitoringInterval;

/** Milliseconds after which what a host has said of a VM says nothing any more: three polls, of which two may fail. */
export const staleAfter = (settings: PollSettings): number => 3 * pollEvery(settings) * 1_000;
