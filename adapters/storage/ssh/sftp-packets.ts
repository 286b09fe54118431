// Packets of SFTP, version 3, as OpenSSH speaks it: https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02 and OpenSSH's PROTOCOL.

export const asks = {
  ...{ init: 1, open: 3, close: 4, read: 5, write: 6, lstat: 7, fstat: 8, setstat: 9, fsetstat: 10 },
  ...{ opendir: 11, readdir: 12, remove: 13, mkdir: 14, rmdir: 15, realpath: 16, stat: 17, symlink: 20, extended: 200 },
} as const;
export type Ask = Exclude<keyof typeof asks, 'init'>;

export const answers = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 201,
} as const;

/** What a status says. */
export const statuses = { ok: 0, eof: 1, missing: 2, denied: 3, failure: 4, malformed: 5, unsupported: 8 } as const;

/** How a file is opened. */
export const openBits = { read: 1, write: 2, append: 4, create: 8, exclusive: 32 } as const;

const attributeBits = { size: 1, owners: 2, permissions: 4, times: 8, extended: 0x8000_0000 } as const;

/** What a server has to know beyond the protocol: OpenSSH's does. */
export const extensions = [
  'posix-rename@openssh.com',
  'hardlink@openssh.com',
  'fsync@openssh.com',
  'statvfs@openssh.com',
] as const;
export type Extension = (typeof extensions)[number];

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
export const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
export const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([u32(bytes.length), bytes]);
};

/** Attributes to set. */
export function attributes({ size, mode }: { size?: number; mode?: number }): Buffer {
  const bits = (size === undefined ? 0 : attributeBits.size) | (mode === undefined ? 0 : attributeBits.permissions);
  return Buffer.concat([
    u32(bits),
    ...(size === undefined ? [] : [u64(size)]),
    ...(mode === undefined ? [] : [u32(mode)]),
  ]);
}

export type Attributes = { size: number; mode: number; mtime: number };

/** Reads a packet from its beginning to its end. Throws a RangeError where there is less than it says. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    this.#at += 1;
    return this.#bytes.readUInt8(this.#at - 1);
  }
  u32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }
  u64(): number {
    this.#at += 8;
    return Number(this.#bytes.readBigUInt64BE(this.#at - 8));
  }
  bytes(): Buffer {
    const length = this.u32();
    if (length > this.#bytes.length - this.#at) throw new RangeError('a packet of SFTP ends within a text');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
  text(): string {
    return this.bytes().toString('utf8');
  }
  get isEnded(): boolean {
    return this.#at >= this.#bytes.length;
  }
  attributes(): Attributes {
    const bits = this.u32();
    const size = bits & attributeBits.size ? this.u64() : 0;
    if (bits & attributeBits.owners) this.u64();
    const mode = bits & attributeBits.permissions ? this.u32() : 0;
    let mtime = 0;
    if (bits & attributeBits.times) {
      this.u32();
      mtime = this.u32();
    }
    if (bits & attributeBits.extended)
      for (let left = this.u32(); left > 0; left--) {
        this.bytes();
        this.bytes();
      }
    return { size, mode, mtime };
  }
}

export const isDirectory = ({ mode }: Attributes): boolean => (mode & 0o170_000) === 0o040_000;
