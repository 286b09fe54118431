import type { Why } from './errors.js';

export type Sent = {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer> | null;
  signal?: AbortSignal;
};

/** How requests travel: what differs between a browser and Node.js, which can be told whom to believe. */
export type Transport = {
  fetch: (url: string | URL, sent?: Sent) => Promise<Response>;
  /** Why `fetch`, or the reading of its answer, has thrown this: neither a signal nor the time has ended it. */
  whyNot: (endpoint: URL, cause: unknown) => Promise<Why>;
};

/** Whatever `fetch` is there. It tells nobody why it has failed: a page may not know what is where. */
export const plainTransport: Transport = {
  fetch: (url, sent) => fetch(url, sent),
  whyNot: async (_endpoint, cause) => ({ reason: 'silent', words: String(cause), mayHaveArrived: true }),
};
