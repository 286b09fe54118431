/** No address has these in it, and no password of one either: they are written as % and a number. */
const ends = /[\s"\\]/;

/**
 * Text that may be logged: of addresses such as `mongodb://user:password@host`, what stands before the host is left out.
 * Drivers repeat an address when they cannot read it, and then a password may hold what addresses do not: up to the last @.
 */
export function withoutPasswords(text: string): string {
  let shown = '';
  let done = 0;
  for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', done)) {
    const from = at + 3;
    let to = from;
    while (to < text.length && !ends.test(text.charAt(to))) to++;
    const address = text.slice(from, to);
    const isMongodb = text.slice(Math.max(0, at - 11), at).includes('mongodb');
    const slash = address.indexOf('/');
    const before = isMongodb || slash === -1 ? address : address.slice(0, slash);
    const credentials = before.lastIndexOf('@');
    shown += text.slice(done, from) + (credentials === -1 ? address : `…${address.slice(credentials)}`);
    done = to;
  }
  return shown + text.slice(done);
}
