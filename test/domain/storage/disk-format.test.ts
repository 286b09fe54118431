import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookAt } from '../../../domain/storage/disk-format.js';
import { packingOf } from '../../../domain/storage/packing.js';

/** The head of a qcow2 of version 3 as `qemu-img` makes it. */
function qcow2(put: (head: Buffer) => void = () => {}): Buffer {
  const head = Buffer.alloc(512);
  head.write('QFI\xfb', 0, 'latin1');
  head.writeUInt32BE(3, 4);
  head.writeUInt32BE(16, 20);
  head.writeBigUInt64BE(1_048_576n, 24);
  head.writeUInt32BE(1, 36);
  head.writeBigUInt64BE(196_608n, 40);
  head.writeUInt32BE(104, 100);
  put(head);
  return head;
}
const file = 262_144;

describe('the head of a disk', () => {
  it('is that of a qcow2, with its size', () => {
    expect(lookAt(qcow2(), file)).toEqual({ format: 'qcow2', virtualSize: 1_048_576 });
  });

  it.each<[string, RegExp, Buffer]>([
    ['is cut off', /within its header/, qcow2().subarray(0, 60)],
    ['is cut off in version 3', /within its header/, qcow2().subarray(0, 80)],
    ['is of version 1', /version 1/, qcow2((head) => head.writeUInt32BE(1, 4))],
    ['has a backing file', /backing file/, qcow2((head) => head.writeBigUInt64BE(500n, 8))],
    ['has strange clusters', /clusters/, qcow2((head) => head.writeUInt32BE(63, 20))],
    ['is encrypted', /encrypted/, qcow2((head) => head.writeUInt32BE(2, 32))],
    ['is of no size', /of a size/, qcow2((head) => head.writeBigUInt64BE(2n ** 63n, 24))],
    ['has tables behind the end', /cut off/, qcow2((head) => head.writeBigUInt64BE(2n ** 40n, 40))],
    ['has its data elsewhere', /external data file/, qcow2((head) => head.writeBigUInt64BE(4n, 72))],
    ['names another file for its data', /external data file/, qcow2((head) => head.writeUInt32BE(0x44415441, 104))],
    ['is corrupt', /corrupt/, qcow2((head) => head.writeBigUInt64BE(2n, 72))],
    ['has features of tomorrow', /features/, qcow2((head) => head.writeBigUInt64BE(1n << 20n, 72))],
  ])('is refused that %s', (_name, reason, head) => {
    const look = lookAt(head, file);
    expect('refused' in look && look.refused).toMatch(reason);
  });

  it('is looked at whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, marked) => {
        const head = marked ? qcow2((copy) => copy.set(bytes.subarray(0, 500), 8)) : bytes;
        const look = lookAt(head, head.length);
        expect('refused' in look || ['raw', 'qcow2'].includes(look.format)).toBe(true);
        expect(() => packingOf(head)).not.toThrow();
      }),
    );
  });
});
