/** Networks that are nobody's on the internet, of IANA's registries of special-purpose addresses (RFC 6890 and its heirs). */
const special: readonly [network: string, what: string][] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'a private network'],
  ['100.64.0.0/10', 'a provider’s own network'],
  ['127.0.0.0/8', 'this machine'],
  ['169.254.0.0/16', 'link-local, where clouds answer questions about themselves'],
  ['172.16.0.0/12', 'a private network'],
  ['192.0.0.0/24', 'kept for protocols'],
  ['192.0.2.0/24', 'for documentation'],
  ['192.88.99.0/24', 'an old relay'],
  ['192.168.0.0/16', 'a private network'],
  ['198.18.0.0/15', 'for measurements'],
  ['198.51.100.0/24', 'for documentation'],
  ['203.0.113.0/24', 'for documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'not in use'],
  ['168.63.129.16/32', 'where Azure answers questions about itself'],
  ['::/128', 'no address'],
  ['::1/128', 'this machine'],
  ['100::/64', 'discarded'],
  ['2001::/23', 'kept for protocols'],
  ['2001:db8::/32', 'for documentation'],
  ['3fff::/20', 'for documentation'],
  ['5f00::/16', 'kept for protocols'],
  ['fc00::/7', 'a private network'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'a private network'],
  ['ff00::/8', 'multicast'],
];

/** IPv6 that leads to an address of IPv4, and where in its sixteen bytes that stands. */
const carriers: readonly [network: string, at: number][] = [
  ['::/96', 12],
  ['::ffff:0:0/96', 12],
  ['::ffff:0:0:0/96', 12],
  ['64:ff9b::/96', 12],
  ['64:ff9b:1::/48', 12],
  ['2002::/16', 2],
];

/** The bytes of an address: four or sixteen. undefined: it is none. A zone (`%eth0`) is none of the address. */
export function addressBytes(address: string): number[] | undefined {
  const [plain = ''] = address.split('%');
  if (!plain.includes(':')) return bytesOfFour(plain);
  const [head = '', tail, ...more] = plain.split('::');
  if (more.length > 0) return undefined;
  const before = bytesOfGroups(head, tail === undefined);
  const after = tail === undefined ? [] : bytesOfGroups(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const left = 16 - before.length - after.length;
  // `::` stands for one group at least.
  if (tail === undefined ? left !== 0 : left < 2) return undefined;
  return [...before, ...Array<number>(left).fill(0), ...after];
}

function bytesOfFour(text: string): number[] | undefined {
  const parts = text.split('.');
  const good = parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return good ? parts.map(Number) : undefined;
}

/** Of groups of IPv6; the last of the address may be written as IPv4. */
function bytesOfGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [at, group] of groups.entries()) {
    if (last && at === groups.length - 1 && group.includes('.')) {
      const four = bytesOfFour(group);
      if (four === undefined) return undefined;
      bytes.push(...four);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

/** Whether an address is in a network such as `10.0.0.0/8`; an address alone is a network of one. */
export function isInNetwork(address: string, network: string): boolean {
  const [base = '', length] = network.split('/');
  const [bytes, its] = [addressBytes(address), addressBytes(base)];
  if (bytes === undefined || its === undefined) return false;
  const bits = length === undefined ? its.length * 8 : Number(length);
  return bytes.length === its.length && haveBits(bytes, its, bits);
}

const haveBits = (one: readonly number[], other: readonly number[], bits: number): boolean =>
  one.every((byte, at) => {
    const free = Math.min(8, Math.max(0, 8 * (at + 1) - bits));
    return byte >> free === (other[at] ?? 0) >> free;
  });

/** The IPv4 address to which one of IPv6 leads; undefined: to none. */
function carried(address: string): string | undefined {
  const at = carriers.find(([network]) => isInNetwork(address, network))?.[1];
  return at === undefined
    ? undefined
    : addressBytes(address)
        ?.slice(at, at + 4)
        .join('.');
}

/**
 * Why nothing may be fetched from an address: it is in a network of ours, or of nobody. undefined: it may. `allowed`: networks that may all the
 * same. What leads to an address of IPv4 is judged by that.
 */
export function whyKept(address: string, allowed: readonly string[]): string | undefined {
  if (addressBytes(address) === undefined) return 'no address';
  if (allowed.some((network) => isInNetwork(address, network))) return undefined;
  const within = special.find(([network]) => isInNetwork(address, network))?.[1];
  const inner = carried(address);
  if (inner === undefined) return within;
  return within === 'no address' || within === 'this machine' ? within : whyKept(inner, allowed);
}
