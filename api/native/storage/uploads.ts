import { type Request, type Response, Router } from 'express';
import { type Finding, Problem } from '../../../domain/problems.js';
import type { Operations } from '../../../requests/operations.js';
import type { UploadState } from '../../../requests/storage/uploads.js';
import { grouped } from '../../../schemas/common/limits.js';
import { CreateImage } from '../../../schemas/storage/image.js';
import { check } from '../../http/findings.js';
import { invalid } from '../../http/invalid.js';
import type { Metrics } from '../../http/metrics.js';
import { callerOf } from '../../http/request.js';
import { checkedBytes, takingBytes } from '../../http/sent-bytes.js';
import { checksumIn, countIn, demandVersion, metadataIn, tusOffers, tusVersion } from '../../http/tus.js';
import { admissionOf } from '../admission.js';
import { apiRoot, ById } from '../route.js';

/** Where uploads are made, below the root of the API, and where the bytes of one go. */
const creating = '/uploads';
const sending = '/images/{id}/upload';
const pieceType = 'application/offset+octet-stream';

/** The bytes of images, by tus 1.0: any client of that protocol sends them, and goes on after whatever has broken off. */
export function uploadRoutes(operations: Operations, metrics: Pick<Metrics, 'operationAccepted'>): Router {
  const router = Router({ strict: true, caseSensitive: true });
  router.all(creating, (request, response) => {
    request.template = apiRoot + creating;
    return answer(request, response, {
      POST: () => create(operations, metrics, request, response),
    });
  });
  router.all('/images/:id/upload', (request, response) => {
    request.template = apiRoot + sending;
    return answer(request, response, {
      GET: async () => told(response, await operations.uploads.show(callerOf(request), idOf(request))),
      HEAD: async () => shown(response, 200, await operations.uploads.show(callerOf(request), idOf(request))),
      PATCH: async () => shown(response, 204, await append(operations, request)),
      DELETE: async () => {
        await operations.uploads.stop(callerOf(request), idOf(request), admissionOf(request));
        metrics.operationAccepted('deleteImage');
        response.status(204).end();
      },
    });
  });
  return router;
}

type Methods = Partial<Record<string, () => Promise<void>>>;

/** Some clients cannot send every method, and name it in a header. */
async function answer(request: Request, response: Response, methods: Methods): Promise<void> {
  response.set('Tus-Resumable', tusVersion);
  const named = request.headers['x-http-method-override'];
  const method = request.method === 'POST' && typeof named === 'string' ? named.toUpperCase() : request.method;
  if (method === 'OPTIONS') {
    response
      .status(204)
      .set({ ...tusOffers, Allow: [...Object.keys(methods), 'OPTIONS'].join(', ') })
      .end();
    return;
  }
  const does = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (!does) {
    const allowed = [...Object.keys(methods), 'OPTIONS'].join(', ');
    response.set('Allow', allowed);
    throw new Problem('method_not_allowed', `This address takes ${allowed}, not ${method}.`);
  }
  response.set('Tus-Version', tusVersion);
  demandVersion(request);
  await does();
}

/** An image of what Upload-Metadata says, which waits for its bytes. */
async function create(
  operations: Operations,
  metrics: Pick<Metrics, 'operationAccepted'>,
  request: Request,
  response: Response,
): Promise<void> {
  if (request.headers['upload-defer-length'] !== undefined)
    throw invalid([
      { pointer: '/Upload-Defer-Length', detail: 'how long it is must be said at once, as Upload-Length' },
    ]);
  const bytes = countIn(request, 'Upload-Length');
  const wish = check(CreateImage, { ...wishIn(metadataIn(request)), source: { upload: { bytes } } });
  if (!wish.ok) throw invalid(wish.findings.map(inHeaders));
  const { resource } = await operations.images.create(callerOf(request), wish.value, admissionOf(request));
  metrics.operationAccepted('createImage');
  response.status(201).set('Location', `${apiRoot}/images/${resource.id}/upload`).end();
}

/** What browsers' clients send besides is not for us: the kind of a file, as a page sees it, too. */
function wishIn(metadata: ReadonlyMap<string, string>): Record<string, unknown> {
  const text = (key: string) => (metadata.has(key) ? { [key]: metadata.get(key) } : {});
  const number = (key: string) => {
    const value = metadata.get(key);
    return value === undefined ? {} : { [key]: /^\d{1,15}$/.test(value) ? Number(value) : value };
  };
  const persistent = metadata.get('persistent');
  return {
    name: metadata.get('name') ?? metadata.get('filename'),
    ...(metadata.get('type')?.includes('/') ? {} : text('type')),
    ...{ ...text('description'), ...text('sha256'), ...text('md5'), ...number('datastore_id'), ...number('size_mb') },
    ...(persistent !== undefined && { persistent: truth[persistent] ?? persistent }),
  };
}

const truth: Partial<Record<string, boolean>> = { true: true, false: false, '': true };

const inHeaders = ({ pointer, detail }: Finding): Finding => ({
  pointer: pointer === '/source/upload/bytes' ? '/Upload-Length' : `/Upload-Metadata${pointer}`,
  detail,
});

async function append(operations: Operations, request: Request): Promise<UploadState> {
  const { headers } = request;
  if (headers['content-type'] !== pieceType)
    throw new Problem('unsupported_media_type', `The bytes of an upload are sent as ${pieceType}.`);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new Problem(
      'unsupported_media_type',
      'The bytes of an upload are sent as they are, without Content-Encoding.',
    );
  const offset = countIn(request, 'Upload-Offset');
  const sum = checksumIn(request);
  const caller = callerOf(request);
  const id = idOf(request);
  const { total } = await operations.uploads.show(caller, id);
  const length = Number(headers['content-length'] ?? 0);
  if (offset + length > total)
    throw new Problem(
      'body_too_large',
      `Image ${id} has ${grouped(total)} bytes: from ${grouped(offset)} on there are no ${grouped(length)}.`,
    );
  return takingBytes(request, (sent, signal) =>
    operations.uploads.append(caller, id, { offset, bytes: sum ? checkedBytes(sent, sum) : sent, signal }),
  );
}

const headersOf = ({ offset, total, expires }: UploadState) => ({
  ...{ 'Upload-Offset': String(offset), 'Upload-Length': String(total) },
  ...(expires && { 'Upload-Expires': expires.toUTCString() }),
});

function shown(response: Response, status: number, state: UploadState): void {
  response.status(status).set(headersOf(state)).end();
}

/** The same for whoever wants to read why it is not so: what is refused to HEAD has no words. */
function told(response: Response, state: UploadState): void {
  const { offset: arrived, total: bytes, expires } = state;
  response.set(headersOf(state)).json({ bytes, arrived, expires_at: expires?.toISOString() ?? null });
}

function idOf({ params }: Request): number {
  const read = check(ById, params);
  if (!read.ok) throw invalid(read.findings);
  return read.value.id;
}
