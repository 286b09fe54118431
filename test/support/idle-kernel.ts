import { writeFileSync } from 'node:fs';

const at = 0x100000;
const header = 52;
const segment = 32;

/**
 * A system that does nothing, and costs nothing: a multiboot kernel that halts its processor. QEMU starts it as it starts Linux, where
 * firmware that finds nothing to boot would look for it for ever. (Multiboot 0.6.96; ELF, 32 bits.)
 */
export function writeIdleKernel(path: string): void {
  const magic = 0x1badb002;
  const code = Buffer.from([0xfa, 0xf4, 0xeb, 0xfd]);
  const size = header + segment + 12 + code.length;
  const bytes = Buffer.alloc(size);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const entry = at + header + segment + 12;
  // Type, machine, version, entry, headers of segments; then the sizes of these.
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(3, 18);
  for (const [offset, value] of [
    ...[
      [20, 1],
      [24, entry],
      [28, header],
    ],
    // Of the one segment: loaded, from the beginning of the file, to there, so many bytes, which may be read and run.
    ...[1, 0, at, at, size, size, 5, 0x1000].map((value, nth) => [header + 4 * nth, value]),
    ...[magic, 0, 0x100000000 - magic].map((value, nth) => [header + segment + 4 * nth, value]),
  ])
    bytes.writeUInt32LE(value ?? 0, offset);
  for (const [offset, value] of [
    [40, header],
    [42, segment],
    [44, 1],
  ])
    bytes.writeUInt16LE(value ?? 0, offset);
  bytes.set(code, size - code.length);
  writeFileSync(path, bytes);
}
