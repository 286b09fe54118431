import type { FileHandle } from 'node:fs/promises';
import { mebi } from '../../../schemas/common/mebi.js';
import { clientOf, type S3Access } from './client.js';
import { isMissing, isThere } from './fault.js';

/** S3 takes ten thousand parts. */
const mostParts = 10_000;
const leastPart = 16 * mebi;
/** Parts of one object that are on their way at once: each lies in memory. */
const atOnce = 3;
/** What one request may copy. */
const mostCopied = 4 * 2 ** 30;

export type S3Object = { key: string; bytes: number };
type Told = (done: number) => void;

/** Objects of one bucket. What a signal ends throws what the SDK throws then. */
export const openBucket = async (access: S3Access) => bucketOn(await clientOf(access), access.bucket);

/** The same by a client that is there. */
export function bucketOn({ s3, client }: Awaited<ReturnType<typeof clientOf>>, Bucket: string) {
  const at = (Key: string) => ({ Bucket, Key });

  /** An object in parts, which is there when all of them are: what fails leaves none. */
  async function inParts(
    key: string,
    bytes: number,
    part: (upload: { UploadId: string; PartNumber: number }, from: number, to: number) => Promise<string | undefined>,
    size: number,
    told: Told,
    abortSignal: AbortSignal,
  ): Promise<void> {
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(at(key)), { abortSignal });
    if (UploadId === undefined) throw new Error('an upload has no id');
    try {
      const count = Math.ceil(bytes / size);
      const tags: (string | undefined)[] = Array.from({ length: count });
      let next = 0;
      let done = 0;
      const worker = async (): Promise<void> => {
        for (let nth = next++; nth < count; nth = next++) {
          const to = Math.min(bytes, (nth + 1) * size);
          tags[nth] = await part({ UploadId, PartNumber: nth + 1 }, nth * size, to);
          done += to - nth * size;
          told(done);
        }
      };
      const results = await Promise.allSettled(Array.from({ length: atOnce }, worker));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
      const Parts = tags.map((ETag, nth) => ({ ETag, PartNumber: nth + 1 }));
      await client.send(new s3.CompleteMultipartUploadCommand({ ...at(key), UploadId, MultipartUpload: { Parts } }), {
        abortSignal,
      });
    } catch (error) {
      await client.send(new s3.AbortMultipartUploadCommand({ ...at(key), UploadId })).catch(() => undefined);
      throw error;
    }
  }

  return {
    /** Writes an object of a few bytes. `alone`: unless there is one; false: there is. */
    async put(key: string, text: string, alone: boolean, abortSignal: AbortSignal): Promise<boolean> {
      try {
        const condition = alone ? { IfNoneMatch: '*' } : {};
        await client.send(new s3.PutObjectCommand({ ...at(key), Body: Buffer.from(text), ...condition }), {
          abortSignal,
        });
        return true;
      } catch (error) {
        if (alone && isThere(error)) return false;
        throw error;
      }
    },
    async get(key: string, abortSignal: AbortSignal): Promise<string | undefined> {
      try {
        const { Body } = await client.send(new s3.GetObjectCommand(at(key)), { abortSignal });
        return await Body?.transformToString('utf8');
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    /** Bytes of an object, from an offset on. */
    async *read(key: string, offset: number, abortSignal: AbortSignal): AsyncGenerator<Uint8Array> {
      const { Body } = await client.send(new s3.GetObjectCommand({ ...at(key), Range: `bytes=${offset}-` }), {
        abortSignal,
      });
      if (!Body || !(Symbol.asyncIterator in Body)) return;
      for await (const chunk of Body) if (chunk instanceof Uint8Array) yield chunk;
    },
    /** Brings a file there. */
    async upload(key: string, file: FileHandle, bytes: number, told: Told, abortSignal: AbortSignal): Promise<void> {
      const read = async (from: number, to: number): Promise<Buffer> => {
        const buffer = Buffer.alloc(to - from);
        for (let has = 0; has < buffer.length; ) {
          const { bytesRead } = await file.read(buffer, has, buffer.length - has, from + has);
          if (bytesRead === 0) throw new Error('a file became shorter while it was sent');
          has += bytesRead;
        }
        return buffer;
      };
      if (bytes <= leastPart) {
        await client.send(new s3.PutObjectCommand({ ...at(key), Body: await read(0, bytes) }), { abortSignal });
        told(bytes);
        return;
      }
      const size = Math.max(leastPart, Math.ceil(bytes / mostParts / mebi) * mebi);
      const part = async (upload: { UploadId: string; PartNumber: number }, from: number, to: number) => {
        const command = new s3.UploadPartCommand({ ...at(key), ...upload, Body: await read(from, to) });
        return (await client.send(command, { abortSignal })).ETag;
      };
      await inParts(key, bytes, part, size, told, abortSignal);
    },
    /** The same of an object that is there, in this bucket or another that the same may read; nothing of it comes here. */
    async copy(
      key: string,
      from: { bucket: string; key: string },
      bytes: number,
      told: Told,
      abortSignal: AbortSignal,
    ) {
      const CopySource = `${from.bucket}/${from.key.split('/').map(encodeURIComponent).join('/')}`;
      if (bytes <= mostCopied) {
        await client.send(new s3.CopyObjectCommand({ ...at(key), CopySource }), { abortSignal });
        told(bytes);
        return;
      }
      const part = async (upload: { UploadId: string; PartNumber: number }, first: number, to: number) => {
        const command = new s3.UploadPartCopyCommand({
          ...{ ...at(key), ...upload, CopySource },
          CopySourceRange: `bytes=${first}-${to - 1}`,
        });
        return (await client.send(command, { abortSignal })).CopyPartResult?.ETag;
      };
      await inParts(key, bytes, part, mostCopied, told, abortSignal);
    },
    /** All objects whose names begin so, page by page. */
    async *list(prefix: string, abortSignal: AbortSignal): AsyncGenerator<S3Object> {
      for (let token: string | undefined, more = true; more; ) {
        const page: import('@aws-sdk/client-s3').ListObjectsV2CommandOutput = await client.send(
          new s3.ListObjectsV2Command({ Bucket, Prefix: prefix, ContinuationToken: token }),
          { abortSignal },
        );
        for (const { Key, Size } of page.Contents ?? []) if (Key !== undefined) yield { key: Key, bytes: Size ?? 0 };
        token = page.NextContinuationToken;
        more = token !== undefined;
      }
    },
    /** What was begun in parts and is not whole. */
    async begun(prefix: string, abortSignal: AbortSignal): Promise<{ key: string; upload: string }[]> {
      const begun: { key: string; upload: string }[] = [];
      for (let key: string | undefined, upload: string | undefined, more = true; more; ) {
        const page: import('@aws-sdk/client-s3').ListMultipartUploadsCommandOutput = await client.send(
          new s3.ListMultipartUploadsCommand({ Bucket, Prefix: prefix, KeyMarker: key, UploadIdMarker: upload }),
          { abortSignal },
        );
        for (const { Key, UploadId } of page.Uploads ?? [])
          if (Key !== undefined && UploadId !== undefined) begun.push({ key: Key, upload: UploadId });
        [key, upload] = [page.NextKeyMarker, page.NextUploadIdMarker];
        more = page.IsTruncated === true && key !== undefined;
      }
      return begun;
    },
    async abort({ key, upload }: { key: string; upload: string }, abortSignal: AbortSignal): Promise<void> {
      try {
        await client.send(new s3.AbortMultipartUploadCommand({ ...at(key), UploadId: upload }), { abortSignal });
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
    remove: (key: string, abortSignal: AbortSignal) =>
      client.send(new s3.DeleteObjectCommand(at(key)), { abortSignal }),
  };
}
export type Bucket = ReturnType<typeof bucketOn>;
