import {
  CloneImage,
  CreateImage,
  ImageEdit,
  ImageResource,
  imageFields,
  ResizeImage,
  UpdateImage,
} from '../../../schemas/storage/image.js';
import { patches, upperCaseBelow } from '../../http/edit-body.js';
import { PathId } from '../../http/path-id.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { accepted, cloneOfData, ids, imageData } from '../operations/operations-examples.js';
import { ownershipRoutes } from '../ownership.js';
import { accepts, ById, json, lists, NoParams, NoQuery, noBody, type Route, route, shows } from '../route.js';
import { data } from './images-examples.js';

export const intoDatastore = [
  'use',
  'datastore',
  { at: '/datastore_id', as: 'the datastore that it is kept in' },
] as const;
const starting = ['name_taken', 'quota_exceeded', 'datastore_full', 'wrong_state', 'idempotency_key_reused'] as const;

/** What is done with snapshots of images. */
const snapshotWords = {
  revert: {
    summary: 'Make an image what it was when a snapshot was taken',
    description: 'What was written since is lost, but for what other snapshots hold.',
    snapshot: '0',
  },
  delete: {
    summary: 'Keep a snapshot of an image no more',
    description:
      'Neither one that others come after, nor the one that the image is written after while there are others.',
    snapshot: '1',
  },
  flatten: {
    summary: 'Make an image one of its snapshots, and keep none',
    description: 'It is what it was when that was taken; all snapshots go.',
    snapshot: '0',
  },
} as const;

export const imageRoutes: readonly Route[] = [
  route({
    id: 'listImages',
    method: 'get',
    path: '/images',
    tag: 'Images',
    summary: 'List images',
    needs: [['see', 'image']],
    params: NoParams,
    query: listQuery(imageFields, ImageResource),
    body: noBody,
    answer: lists('ImagePage', ImageResource),
    problems: [],
    examples: [
      {
        query: { filter: 'state=READY', fields: 'id,name,state' },
        answer: { items: [{ id: data.id, name: data.name, state: data.state }], next_cursor: null },
      },
    ],
    handle: ({ images }, { caller, query }) => images.list(caller, query),
  }),
  route({
    id: 'createImage',
    method: 'post',
    path: '/images',
    tag: 'Images',
    summary: 'Make an image of a file, of an address, or an empty one',
    description:
      'A path is one on the machine of a worker, in its safe directories; an address is `http` or `https`, outside the networks that workers keep to themselves; an upload is sent afterwards, by tus 1.0, to `/images/{id}/upload`, from where `Upload-Offset` of a HEAD there says (tus clients can make it at `/uploads`, too). Packed bytes are unpacked while they come. Format and sizes are those that are found, never what is said; the checksums are those of the bytes as they are published. The image is LOCKED until it is there. What fails leaves it in ERROR with the reason, and a retry of the operation goes on where it got to; what is cancelled leaves nothing.',
    needs: [['create', 'image'], intoDatastore],
    params: NoParams,
    query: NoQuery,
    body: json(CreateImage.meta({ id: 'CreateImage' })),
    answer: accepts,
    problems: [...starting, 'not_found'],
    examples: [
      {
        body: { name: 'data', type: 'DATABLOCK', source: { empty: { size_mb: 10 } } },
        answer: accepted(ids.image, 'createImage', imageData, '09:10:00'),
      },
    ],
    handle: ({ images }, { caller, body, admission }) => images.create(caller, body, admission),
  }),
  route({
    id: 'showImage',
    method: 'get',
    path: '/images/{id}',
    tag: 'Images',
    summary: 'Show an image',
    needs: [['use', 'image']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(ImageResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: data }],
    handle: ({ images }, { caller, params }) => images.show(caller, params.id),
  }),
  route({
    id: 'updateImage',
    method: 'patch',
    path: '/images/{id}',
    tag: 'Images',
    summary:
      'Rename, describe, lock, enable or disable an image, set its attributes, or change its type or persistence',
    needs: [edits('image')],
    description:
      'Type, persistence and state are changed where nothing uses it, and nothing is at work on it. One that is locked is unlocked first, by itself.',
    params: ById,
    query: NoQuery,
    body: patches(UpdateImage.meta({ id: 'UpdateImage' }), ImageEdit, upperCaseBelow('attributes')),
    answer: shows(ImageResource),
    problems: ['not_found', 'name_taken', 'wrong_state', 'operation_in_progress'],
    examples: [
      { title: 'Persistent', params: { id: '0' }, body: { persistent: true }, answer: { ...data, persistent: true } },
      { title: 'Not persistent', params: { id: '0' }, body: { persistent: false }, answer: data },
    ],
    handle: ({ images }, { caller, params, body: revise, precondition }) =>
      images.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'cloneImage',
    method: 'post',
    path: '/images/{id}/clone',
    tag: 'Images',
    summary: 'Make another image that is as this one',
    description: 'It is yours. In another datastore it is kept by the same adapter.',
    needs: [['use', 'image'], ['create', 'image'], intoDatastore],
    params: ById,
    query: NoQuery,
    body: json(CloneImage.meta({ id: 'CloneImage' })),
    answer: accepts,
    problems: ['not_found', 'operation_in_progress', ...starting],
    examples: [
      {
        params: { id: '0' },
        body: { name: 'data of May' },
        answer: accepted(ids.clone, 'cloneImage', cloneOfData, '09:11:00'),
      },
    ],
    handle: ({ images }, { caller, params, body, admission }) => images.clone(caller, params.id, body, admission),
  }),
  route({
    id: 'resizeImage',
    method: 'post',
    path: '/images/{id}/resize',
    tag: 'Images',
    summary: 'Make an image larger that nothing uses',
    description:
      'OS and DATABLOCK alone, and never smaller. What it comes to then is charged at once. However it ends, the image is used again as large as it is.',
    needs: [edits('image')],
    params: ById,
    query: NoQuery,
    body: json(ResizeImage.meta({ id: 'ResizeImage' })),
    answer: accepts,
    problems: [
      ...(['not_found', 'wrong_state', 'operation_in_progress', 'quota_exceeded', 'datastore_full'] as const),
      'idempotency_key_reused',
    ],
    examples: [
      {
        params: { id: '0' },
        body: { size_mb: 20 },
        answer: accepted(ids.imageResize, 'resizeImage', imageData, '09:10:30'),
      },
    ],
    handle: ({ images }, { caller, params, body, admission }) => images.resize(caller, params.id, body, admission),
  }),
  ...(['revert', 'delete', 'flatten'] as const).map((deed) =>
    route({
      id: `${deed}ImageSnapshot`,
      method: 'post',
      path: `/images/{id}/snapshots/{snapshot}/${deed}`,
      tag: 'Images',
      summary: snapshotWords[deed].summary,
      description: `${snapshotWords[deed].description} Nothing uses the image meanwhile; however it ends, it is used again, with the snapshots that it has.`,
      needs: [edits('image')],
      params: ById.extend({ snapshot: PathId.describe('Its number, as the image has it') }),
      query: NoQuery,
      body: noBody,
      answer: accepts,
      problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
      examples: [
        {
          params: { id: '0', snapshot: snapshotWords[deed].snapshot },
          answer: accepted(ids[`${deed}ImageSnapshot`], 'snapshotImage', imageData, '09:10:40'),
        },
      ],
      handle: ({ images }, { caller, params: { id, snapshot }, admission }) =>
        images.changeSnapshots(caller, id, { action: `snapshot-${deed}`, snapshot }, admission),
    }),
  ),
  route({
    id: 'deleteImage',
    method: 'delete',
    path: '/images/{id}',
    tag: 'Images',
    summary: 'Remove an image that nothing uses',
    description: 'What is at work on it gives way. Nothing of it is left in its datastore.',
    needs: [edits('image')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [{ params: { id: '1' }, answer: accepted(ids.imageDeletion, 'deleteImage', cloneOfData, '09:12:00') }],
    handle: ({ images }, { caller, params, admission }) => images.remove(caller, params.id, admission),
  }),
  ...ownershipRoutes('image', {
    schema: ImageResource,
    examples: { chmod: sharing('0', data), chown: giving('0', data) },
    of: ({ images }) => images,
    problems: { chmod: ['wrong_state'], chown: ['wrong_state'] },
  }),
];
