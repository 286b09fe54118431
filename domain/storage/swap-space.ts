/** Of a page of the machines that a swap space is for (x86-64, and ARM as it is mostly built). */
const page = 4_096;

/**
 * The first page of an empty swap space of so many bytes, as Linux wants it (`union swap_header` in its include/linux/swap.h), with the id that
 * it is known by: sixteen bytes.
 */
export function swapHead(bytes: number, id: Uint8Array): Buffer {
  const head = Buffer.alloc(page);
  head.writeUInt32LE(1, 1_024);
  head.writeUInt32LE(Math.floor(bytes / page) - 1, 1_028);
  head.set(id.subarray(0, 16), 1_036);
  head.write('SWAPSPACE2', page - 10, 'latin1');
  return head;
}
