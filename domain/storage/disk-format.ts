import { grouped } from '../../schemas/common/limits.js';
import type { ImageFormat } from '../../schemas/storage/stored.js';

/** Formats of disks that are known and not taken, by text at a place. Of them all `qemu-img convert -O qcow2` makes one that is. */
const others: readonly { format: string; at: number; text: string }[] = [
  { format: 'vmdk', at: 0, text: 'KDMV' },
  { format: 'vmdk', at: 0, text: 'COWD' },
  { format: 'vmdk', at: 0, text: '# Disk DescriptorFile' },
  { format: 'vhd', at: 0, text: 'conectix' },
  { format: 'vhdx', at: 0, text: 'vhdxfile' },
  { format: 'vdi', at: 0, text: '<<< ' },
  { format: 'qed', at: 0, text: 'QED\0' },
  { format: 'luks', at: 0, text: 'LUKS\xba\xbe' },
  { format: 'parallels', at: 0, text: 'WithoutFreeSpace' },
  { format: 'parallels', at: 0, text: 'WithouFreSpacExt' },
  { format: 'cloop', at: 0, text: '#!/bin/sh\n#V2.0 Format' },
];
const qcow = 'QFI\xfb';

/** As many bytes of a disk as `lookAt` wants: the header of a qcow2 with its extensions is in its first cluster. */
export const diskHeadBytes = 65_536;

/** What a disk is by its own first bytes, or why it is not taken: one sentence's end, as in `the image is …`. */
export type DiskLook = { format: ImageFormat; virtualSize: number | null } | { refused: string };

/**
 * Looks at a disk before any program does: one that opens a qcow2 opens what stands in it, another file or a server, too. A disk without
 * marks is raw, whose size is that of its file (`virtualSize` null). The layout is that of QEMU's docs/interop/qcow2.txt.
 */
export function lookAt(head: Uint8Array, fileBytes: number): DiskLook {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const other = others.find(({ at, text }) => bytes.toString('latin1', at, at + text.length) === text);
  if (other !== undefined) return refused(`is a ${other.format}, and only raw and qcow2 are taken`);
  if (bytes.toString('latin1', 0, 4) !== qcow) return { format: 'raw', virtualSize: null };
  return lookAtQcow2(bytes, fileBytes);
}

const refused = (why: string): DiskLook => ({ refused: why });

/** Bits of the incompatible features: 0 dirty, 1 corrupt, 2 external data file, 3 compression type, 4 extended L2 entries. */
const [corrupt, externalData, known] = [1n << 1n, 1n << 2n, 0b11111n];
const dataFileName = 0x44415441;

function lookAtQcow2(bytes: Buffer, fileBytes: number): DiskLook {
  if (bytes.length < 72) return refused('ends within its header');
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3) return refused(`is a qcow of version ${grouped(version)}, and 2 and 3 are taken`);
  if (bytes.readBigUInt64BE(8) !== 0n) return refused('stands on another file (a backing file)');
  const clusterBits = bytes.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) return refused('is a qcow2 with clusters of a size that there is not');
  if (bytes.readUInt32BE(32) !== 0) return refused('is an encrypted qcow2');
  const size = bytes.readBigUInt64BE(24);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) return refused('is a qcow2 of a size that no disk has');
  const table = bytes.readBigUInt64BE(40) + 8n * BigInt(bytes.readUInt32BE(36));
  if (table > BigInt(fileBytes)) return refused('is cut off: the file ends before the tables of the qcow2');
  if (version === 3) {
    if (bytes.length < 104) return refused('ends within its header');
    const features = bytes.readBigUInt64BE(72);
    if ((features & externalData) !== 0n) return refused('has its data in another file (an external data file)');
    if ((features & corrupt) !== 0n) return refused('is marked as corrupt');
    if ((features & ~known) !== 0n) return refused('has features that are not known here');
  }
  // Extensions follow the header; a name of a data file is one, whatever the features say.
  for (let at = version === 2 ? 72 : bytes.readUInt32BE(100); at + 8 <= bytes.length; ) {
    const type = bytes.readUInt32BE(at);
    if (type === 0) break;
    if (type === dataFileName) return refused('has its data in another file (an external data file)');
    at += 8 + Math.ceil(bytes.readUInt32BE(at + 4) / 8) * 8;
  }
  return { format: 'qcow2', virtualSize: Number(size) };
}

/** Bytes that a guest sees of a disk that was looked at or made here, by its first bytes and its length: of a raw one, whole sectors. */
export function virtualSizeOf(format: ImageFormat, head: Uint8Array, fileBytes: number): number {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (format === 'raw' || bytes.length < 32) return Math.ceil(fileBytes / 512) * 512;
  return Number(bytes.readBigUInt64BE(24));
}
