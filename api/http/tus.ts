import type { Request } from 'express';
import { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';
import { check } from './findings.js';
import { invalid } from './invalid.js';

// What the protocol tus 1.0 says in headers (https://tus.io/protocols/resumable-upload), with its extensions creation, expiration,
// termination and checksum.

export const tusVersion = '1.0.0';
/** Names of Upload-Checksum, and what Node calls them. */
const algorithms = { sha1: 'sha1', sha256: 'sha256', md5: 'md5' } as const;

/** What is said to whoever asks what is taken here. */
export const tusOffers = {
  'Tus-Version': tusVersion,
  'Tus-Extension': 'creation,expiration,termination,checksum',
  'Tus-Max-Size': String(limits.imageSize.most * 2 ** 20),
  'Tus-Checksum-Algorithm': Object.keys(algorithms).join(','),
};

/** Refuses whoever speaks another version, or does not say which. */
export function demandVersion({ headers }: Pick<Request, 'headers'>): void {
  if (headers['tus-resumable'] !== tusVersion)
    throw new Problem('protocol_version', `Send the header Tus-Resumable: ${tusVersion}.`);
}

const Count = z
  .string({ error: 'must be sent' })
  .regex(/^\d{1,15}$/, 'must be a number of bytes')
  .transform(Number);

/** A header that is a number of bytes. */
export function countIn({ headers }: Pick<Request, 'headers'>, name: 'Upload-Offset' | 'Upload-Length'): number {
  const read = check(z.object({ [name]: Count }), { [name]: headers[name.toLowerCase()] });
  if (!read.ok) throw invalid(read.findings);
  return read.value[name] ?? 0;
}

/** `name YWxwaW5l,type T1M=`: keys, and values in Base64. */
export function metadataIn({ headers }: Pick<Request, 'headers'>): Map<string, string> {
  const pairs = String(headers['upload-metadata'] ?? '')
    .split(',')
    .map((pair) => pair.trim().split(' '))
    .filter(([key]) => key !== '');
  const read = new Map<string, string>();
  for (const [key = '', value = '', ...more] of pairs) {
    if (more.length > 0 || read.has(key) || !isBase64(value))
      throw invalid([
        { pointer: '/Upload-Metadata', detail: `${key.slice(0, 100)} must stand once, with its value in Base64` },
      ]);
    read.set(key, Buffer.from(value, 'base64').toString('utf8'));
  }
  return read;
}

/** A sum that the bytes of one request are to have, and how it is made. */
export type ChunkSum = { algorithm: (typeof algorithms)[keyof typeof algorithms]; digest: Buffer };

const isKnown = (name: string): name is keyof typeof algorithms => Object.hasOwn(algorithms, name);

/** `sha256 …`, of the bytes of this request; undefined: none is said. */
export function checksumIn({ headers }: Pick<Request, 'headers'>): ChunkSum | undefined {
  const header = headers['upload-checksum'];
  if (header === undefined) return undefined;
  const [name = '', digest = '', ...more] = String(header).split(' ');
  if (!isKnown(name) || digest === '' || !isBase64(digest) || more.length > 0)
    throw invalid([
      { pointer: '/Upload-Checksum', detail: `must be ${Object.keys(algorithms).join(', ')} and a sum in Base64` },
    ]);
  return { algorithm: algorithms[name], digest: Buffer.from(digest, 'base64') };
}

const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]*={0,2}$/.test(text);
