import { z } from 'zod';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import { CreateImage, ImageResource } from '../../schemas/storage/image.js';
import type { DocumentKind } from '../apply/document-kind.js';
import { nounOf } from '../shell/noun-of.js';

const Image = ImageResource.pick({ name: true, description: true, type: true, persistent: true, attributes: true });

/** What an image is made of is for the making alone: one that is there keeps its bytes. */
export const imageDocuments: DocumentKind = {
  ...nounOf('image'),
  wish: CreateImage,
  answer: z.union([
    OperationResource.transform(({ resource: { id, name } }) => ({ id, name })),
    ImageResource.transform(({ id, name }) => ({ id, name })),
  ]),
  asDocument: (object) => Image.parse(object),
  update: 'PATCH',
  merges: ['attributes'],
  anyCase: ['attributes'],
  once: ['source', 'sha256', 'md5', 'size_mb', 'datastore_id'],
  made: 'is being made',
  references: (image) =>
    'datastore_id' in image
      ? [
          {
            pointer: '/datastore_id',
            kind: 'datastore',
            value: image.datastore_id,
            put: (id: number) => {
              image.datastore_id = id;
            },
          },
        ]
      : [],
};
