import { isIP } from 'node:net';

/** What the headers of a request say of where it comes from and whom it is for. `host`: as the client has named us. */
export type RequestSource = {
  method: string;
  host?: string | undefined;
  origin?: string | undefined;
  referer?: string | undefined;
  /** Sec-Fetch-Site, which no script can set; browsers leave it out over plain HTTP beyond loopback. */
  site?: string | undefined;
};

/** The same of headers as Node gives them. */
export const sourceOf = (
  method: string,
  { host, origin, referer, ...more }: Readonly<Record<string, string | string[] | undefined>>,
): RequestSource => ({
  method,
  ...{ host: one(host), origin: one(origin), referer: one(referer), site: one(more['sec-fetch-site']) },
});

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

/**
 * Whether a browser sends this because a page of another site wants something changed: browsers add remembered
 * credentials, and reach servers that only they can reach. Programs other than browsers send none of these headers.
 */
export function isForeign({ method, host, origin, referer, site }: RequestSource): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const from = origin ?? referer;
  return from !== undefined && !isSameHost(from, host);
}

/** The port that goes without saying is that of the page's own scheme: a proxy may have taken TLS off. */
function isSameHost(page: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(page)) return false;
  const { protocol, host: from } = new URL(page);
  const ours = `${protocol}//${host}`;
  return (protocol === 'http:' || protocol === 'https:') && URL.canParse(ours) && new URL(ours).host === from;
}

/**
 * Whether the name by which a client calls us is ours. A page of another site can let its own name point to this machine
 * and is then “the same origin”: so a server that is for this machine alone, or that has been told its names, answers to
 * no others. Addresses are nobody's names. `names`: those that it has been told; empty: none.
 */
export function isOurName(host: string | undefined, { names, loopback }: OurNames): boolean {
  if (host === undefined || (names.length === 0 && !loopback)) return true;
  if (!URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  const isAddress = isIP(hostname) !== 0 || hostname.startsWith('[');
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost');
  return isAddress || isLocal || names.some((name) => name.toLowerCase() === hostname);
}

export type OurNames = { names: readonly string[]; loopback: boolean };

/** Whether who listens there is reached from this machine alone. */
export const isLoopback = (address: string): boolean => {
  const plain = address.toLowerCase().replace(/^::ffff:/, '');
  return plain === 'localhost' || plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
};
