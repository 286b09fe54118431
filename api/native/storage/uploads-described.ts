import { z } from 'zod';
import type { ProblemCode } from '../../../domain/problems.js';
import { tusVersion } from '../../http/tus.js';

// The routes of uploads as OpenAPI tells of them. They are none of the table of routes: what they take and answer stands in headers, as tus 1.0 has it.

type Described = {
  id: string;
  method: 'get' | 'head' | 'post' | 'patch' | 'delete';
  path: '/uploads' | '/images/{id}/upload';
  summary: string;
  description: string;
  headers: z.ZodObject;
  /** The bytes that are sent. */
  takesBytes?: true;
  answer: { status: number; description: string; headers: Readonly<Record<string, string>>; schema?: z.ZodType };
  problems: readonly ProblemCode[];
};

const version = { 'Tus-Resumable': z.literal(tusVersion).meta({ description: 'The version of tus that is spoken' }) };
const Count = z.string().regex(/^\d{1,15}$/);
const arrived = {
  'Upload-Offset': 'How many bytes have arrived',
  'Upload-Length': 'How many there are to be',
  'Upload-Expires': 'When it is given up if no more come; absent: nothing more is awaited',
};
const ofUpload = ['not_found', 'wrong_state', 'protocol_version'] as const;

export const describedUploads: readonly Described[] = [
  {
    ...{ id: 'createUpload', method: 'post', path: '/uploads' },
    summary: 'Make an image whose bytes are sent, by tus 1.0',
    description:
      'As `POST /images` with `source.upload`, for clients of tus: what that takes stands in `Upload-Metadata`. The bytes go to the address that `Location` says. Rights: CREATE on IMAGE, and USE on the datastore.',
    headers: z.object({
      ...version,
      'Upload-Length': Count.meta({ description: 'How many bytes there are to be', examples: ['67108864'] }),
      'Upload-Metadata': z.string().meta({
        description:
          'Keys, each with its value in Base64: name (or filename), type, description, datastore_id, persistent, size_mb, sha256, md5',
        examples: ['name ZGViaWFu,type T1M='],
      }),
    }),
    answer: { status: 201, description: 'It waits for its bytes', headers: { Location: 'Where they are sent to' } },
    problems: ['name_taken', 'quota_exceeded', 'datastore_full', 'wrong_state', 'not_found', 'protocol_version'],
  },
  {
    ...{ id: 'showUpload', method: 'get', path: '/images/{id}/upload' },
    summary: 'Show how much of an image has arrived',
    description: 'The same as HEAD, with words where it is refused. Rights: the image is one’s own.',
    headers: z.object(version),
    answer: {
      ...{ status: 200, description: 'So much has arrived', headers: arrived },
      schema: z.object({ bytes: z.int(), arrived: z.int(), expires_at: z.iso.datetime().nullable() }),
    },
    problems: ofUpload,
  },
  {
    ...{ id: 'headUpload', method: 'head', path: '/images/{id}/upload' },
    summary: 'Tell how much of an image has arrived',
    description: 'Where whoever sends goes on after what has broken off. Rights: the image is one’s own.',
    headers: z.object(version),
    answer: { status: 200, description: 'So much has arrived', headers: arrived },
    problems: ofUpload,
  },
  {
    ...{ id: 'sendUpload', method: 'patch', path: '/images/{id}/upload' },
    summary: 'Send bytes of an image',
    description:
      'They go behind what has arrived. What came before a request ended stays. With the last byte the image is checked, unpacked and looked into. Rights: the image is one’s own.',
    headers: z.object({
      ...version,
      'Upload-Offset': Count.meta({ description: 'How many bytes have arrived, as HEAD says', examples: ['4194304'] }),
      'Upload-Checksum': z
        .string()
        .optional()
        .meta({
          description:
            'sha1, sha256 or md5 of the bytes of this request, in Base64: they are taken whole or not at all',
          examples: ['sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0='],
        }),
    }),
    takesBytes: true,
    answer: { status: 204, description: 'They have arrived', headers: arrived },
    problems: [
      ...ofUpload,
      ...(['operation_in_progress', 'body_too_large', 'unsupported_media_type', 'checksum_mismatch'] as const),
    ],
  },
  {
    ...{ id: 'stopUpload', method: 'delete', path: '/images/{id}/upload' },
    summary: 'Give up the upload of an image',
    description: 'Its bytes and the image go. Rights: MANAGE on the image.',
    headers: z.object(version),
    answer: { status: 204, description: 'It is being removed', headers: {} },
    problems: [...ofUpload, 'operation_in_progress'],
  },
];
