// Addresses as numbers, so that those of a range can be counted from its first. A MAC has 48 bits, which a number holds exactly.

/** Of an IPv4 address in dots, which is valid. */
export const ip4Number = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

export const ip4Text = (number: number): string =>
  [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.');

export const macNumber = (mac: string): number => Number.parseInt(mac.replaceAll(':', ''), 16);

export const macText = (number: number): string => (number.toString(16).padStart(12, '0').match(/../g) ?? []).join(':');

/** OpenNebula's MAC of an IPv4 address: its prefix, and the four bytes of the address. */
export const macOfIp4 = (ip: string): string => macText(0x0200 * 2 ** 32 + ip4Number(ip));

/** The eight groups of an IPv6 address, which is valid; one that ends with an IPv4 address is read, too. */
export function ip6Groups(address: string): number[] {
  const tail = address.slice(address.lastIndexOf(':') + 1);
  const plain = tail.includes('.')
    ? `${address.slice(0, -tail.length)}${groupText(ip4Number(tail) / 65_536)}:${groupText(ip4Number(tail))}`
    : address;
  const [head = '', rest] = plain.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((part) => Number.parseInt(part, 16));
  const [before, after] = [groups(head), groups(rest ?? '')];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

/** How many addresses there are from one on, as far as that matters: of IPv6 as many as a number holds exactly. */
export function addressesLeft(ip: string): number {
  if (!ip.includes(':')) return 2 ** 32 - ip4Number(ip);
  const behind = ip6Groups(ip).reduce((sum, group) => sum * 65_536 + (65_535 - group), 0);
  return Math.min(behind + 1, Number.MAX_SAFE_INTEGER);
}

const groupText = (number: number): string => (Math.floor(number) % 65_536).toString(16);

/** As RFC 5952 has it: the longest run of zeros, of two groups at least, is left out. */
export function ip6Text(groups: readonly number[]): string {
  let [best, length] = [-1, 1];
  for (let from = 0; from < groups.length; from += 1) {
    let to = from;
    while (groups[to] === 0) to += 1;
    if (to - from > length) [best, length] = [from, to - from];
  }
  const text = (some: readonly number[]): string => some.map(groupText).join(':');
  return best === -1 ? text(groups) : `${text(groups.slice(0, best))}::${text(groups.slice(best + length))}`;
}

/** The address that a card with this MAC gives itself under a prefix of 64 bits (RFC 4291, modified EUI-64). */
export function slaac(prefix: string, mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const interfaceId = [(a ^ 2) * 256 + b, c * 256 + 0xff, 0xfe * 256 + d, e * 256 + f];
  return ip6Text([...ip6Groups(prefix).slice(0, 4), ...interfaceId]);
}
