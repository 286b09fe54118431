import { mebi } from '../../../schemas/common/mebi.js';
import type { OnProgress } from '../../storage/port.js';
import { bucketOn } from '../../storage/s3/bucket.js';
import { clientOf, type S3Access } from '../../storage/s3/client.js';
import { isMissing, isNoBucket } from '../../storage/s3/fault.js';
import type { AppBytes, MarketInventory, PublishedApp } from '../port.js';
import { createSums } from '../sums.js';
import { createBuffers, type Part, partsOf } from './parts.js';

/** S3 takes ten thousand parts. */
const mostParts = 10_000;
/** Parts that are in memory at once: one that is read, and those that are on their way. */
const atOnce = 3;

/** Apps as objects of one bucket. What a signal ends throws what the SDK throws then. */
export async function openObjects(access: S3Access & { read_length: number }) {
  const opened = await clientOf(access);
  const { s3, client } = opened;
  const { bucket: Bucket } = access;
  const bucket = bucketOn(opened, Bucket);
  const at = (Key: string) => ({ Bucket, Key });

  async function sizeOf(key: string, abortSignal: AbortSignal): Promise<number | undefined> {
    try {
      return (await client.send(new s3.HeadObjectCommand(at(key)), { abortSignal })).ContentLength;
    } catch (error) {
      if (isMissing(error) || isNoBucket(error)) return undefined;
      throw error;
    }
  }

  /** The upload that all tries of an app go on with: the same for each that looks. */
  async function uploadOf(key: string, abortSignal: AbortSignal): Promise<string> {
    const first = async () =>
      (await bucket.begun(key, abortSignal))
        .filter((one) => one.key === key)
        .map(({ upload }) => upload)
        .sort()[0];
    const known = await first();
    if (known !== undefined) return known;
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(at(key)), { abortSignal });
    if (UploadId === undefined) throw new Error('an upload has no id');
    return (await first()) ?? UploadId;
  }

  /** Parts that are there, by their numbers. */
  async function sentOf(key: string, UploadId: string, abortSignal: AbortSignal) {
    const sent = new Map<number, { tag: string; bytes: number }>();
    for (let marker: string | undefined, more = true; more; ) {
      const page: import('@aws-sdk/client-s3').ListPartsCommandOutput = await client.send(
        new s3.ListPartsCommand({ ...at(key), UploadId, PartNumberMarker: marker }),
        { abortSignal },
      );
      for (const { PartNumber, ETag, Size } of page.Parts ?? [])
        if (PartNumber !== undefined && ETag !== undefined) sent.set(PartNumber, { tag: ETag, bytes: Size ?? 0 });
      marker = page.NextPartNumberMarker;
      more = page.IsTruncated === true && marker !== undefined;
    }
    return sent;
  }

  /** The same, in a bucket that is made where there is none. */
  const uploadIn = (key: string, abortSignal: AbortSignal): Promise<string> =>
    uploadOf(key, abortSignal).catch(async (error: unknown) => {
      if (!isNoBucket(error)) throw error;
      await client.send(new s3.CreateBucketCommand({ Bucket }), { abortSignal });
      return uploadOf(key, abortSignal);
    });

  /** Each part that is not there is sent; resolves with what says of all of them that they are. */
  async function send(
    key: string,
    UploadId: string,
    { from, size, sums }: { from: AppBytes; size: number; sums: ReturnType<typeof createSums> },
    guard: () => Promise<void>,
    onProgress: OnProgress,
    abortSignal: AbortSignal,
  ) {
    const sent = await sentOf(key, UploadId, abortSignal);
    const parts: { PartNumber: number; ETag: string | undefined }[] = [];
    const failures: unknown[] = [];
    const going = new Set<Promise<void>>();
    let done = 0;
    const bring = async ({ number: PartNumber, bytes, md5, free }: Part): Promise<void> => {
      try {
        const known = sent.get(PartNumber);
        const isThere = known?.bytes === bytes.length && known.tag === `"${md5.toString('hex')}"`;
        if (!isThere) await guard();
        const ETag = isThere
          ? known.tag
          : (
              await client.send(
                new s3.UploadPartCommand({
                  ...{ ...at(key), UploadId, PartNumber, Body: bytes, ContentMD5: md5.toString('base64') },
                }),
                { abortSignal },
              )
            ).ETag;
        parts.push({ PartNumber, ETag });
        done += bytes.length;
        onProgress({ phase: 'copy', done, total: from.total });
      } catch (error) {
        failures.push(error);
      } finally {
        free();
      }
    };
    try {
      for await (const part of partsOf(from, size, createBuffers(atOnce, size), sums.add, abortSignal)) {
        const it = bring(part).finally(() => going.delete(it));
        going.add(it);
        if (failures.length > 0) break;
      }
    } finally {
      await Promise.all(going);
    }
    if (failures.length > 0) throw failures[0];
    return parts.sort((one, other) => one.PartNumber - other.PartNumber);
  }

  return {
    /** What `Market.publish` says. */
    async publish(
      key: string,
      from: AppBytes,
      guard: () => Promise<void>,
      onProgress: OnProgress,
      abortSignal: AbortSignal,
    ): Promise<PublishedApp> {
      const { total } = from;
      const sums = createSums();
      const size = Math.max(access.read_length * mebi, Math.ceil(total / mostParts / mebi) * mebi);
      if ((await sizeOf(key, abortSignal)) === total) {
        for await (const chunk of from.read(0, abortSignal)) sums.add(chunk);
        return sums.result();
      }
      await guard();
      const UploadId = await uploadIn(key, abortSignal);
      try {
        // It may have been removed while the upload was begun.
        await guard();
      } catch (error) {
        await bucket.abort({ key, upload: UploadId }, AbortSignal.timeout(30_000)).catch(() => undefined);
        throw error;
      }
      const Parts = await send(key, UploadId, { from, size, sums }, guard, onProgress, abortSignal);
      await guard();
      await client.send(new s3.CompleteMultipartUploadCommand({ ...at(key), UploadId, MultipartUpload: { Parts } }), {
        abortSignal,
      });
      const there = await sizeOf(key, abortSignal);
      if (there !== total) throw new Error(`of ${total} bytes ${there} are there`);
      for (const other of await bucket.begun(key, abortSignal)) await bucket.abort(other, abortSignal);
      return sums.result();
    },
    /** Nothing of an app is left. */
    async remove(key: string, abortSignal: AbortSignal): Promise<void> {
      try {
        for (const upload of await bucket.begun(key, abortSignal)) await bucket.abort(upload, abortSignal);
        await bucket.remove(key, abortSignal);
      } catch (error) {
        if (!isNoBucket(error)) throw error;
      }
    },
    /** All objects and uploads whose names begin so. */
    async inventory(prefix: string, abortSignal: AbortSignal): Promise<MarketInventory> {
      const found: MarketInventory = [];
      for await (const object of bucket.list(prefix, abortSignal)) found.push({ ...object, whole: true });
      for (const { key } of await bucket.begun(prefix, abortSignal)) found.push({ key, bytes: 0, whole: false });
      return found;
    },
    /** An object, from an offset on where that is asked of one that is still the same. */
    get(key: string, { offset, version }: { offset: number; version: string | null }, abortSignal: AbortSignal) {
      const going = offset > 0 && version !== null && { Range: `bytes=${offset}-`, IfMatch: version };
      return client.send(new s3.GetObjectCommand({ ...at(key), ...going }), { abortSignal });
    },
  };
}
export type Objects = Awaited<ReturnType<typeof openObjects>>;
