import type { Packing } from '../../schemas/storage/stored.js';

/** Bytes of the head of something, from which `packingOf` and `formatOf` tell what it is: the last thing they look at ends here. */
export const headBytes = 512;

/** By which bytes each begins; `tar` has its own further behind. */
const magics: readonly [Exclude<Packing, 'tar'>, readonly number[]][] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
];
/** Of a block of bzip2, after its level: digits of pi. Three letters alone may begin anything. */
const bzip2Block = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];

/** What bytes are packed in, by the first of them; null: in nothing that is known here. */
export function packingOf(head: Uint8Array): Packing | null {
  const found = magics.find(([, magic]) => beginsWith(head, 0, magic))?.[0];
  if (found === 'bzip2') return beginsWith(head, 4, bzip2Block) ? found : null;
  return found ?? (isTar(head) ? 'tar' : null);
}

/** `ustar` in its place, and the sum of the header: a boot sector may have five letters there. */
function isTar(head: Uint8Array): boolean {
  if (head.length < headBytes || !beginsWith(head, 257, [0x75, 0x73, 0x74, 0x61, 0x72])) return false;
  const said = Number.parseInt(Buffer.from(head.subarray(148, 156)).toString('latin1').trim(), 8);
  const sum = head.subarray(0, headBytes).reduce((so, byte, at) => so + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return sum === said;
}

const beginsWith = (bytes: Uint8Array, at: number, wanted: readonly number[]): boolean =>
  wanted.every((byte, index) => bytes[at + index] === byte);
