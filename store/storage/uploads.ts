import type { Model } from 'mongoose';
import { isUploadFurther, uploadPatience } from '../../domain/storage/uploads.js';
import type { Image } from '../../schemas/storage/image.js';

type By = { op: string; epoch: number };

/** In a pipeline: that an image is one that is sent. */
export const isUpload = { $eq: [{ $type: '$upload' }, 'object'] };

/** What is written down of images whose bytes are sent: of those alone that their operation has, and nothing else wants. */
export function uploadsOf(images: Model<Image>) {
  const openOf = (id: number, op: string) => ({
    ...{ _id: id, operation: op, wanted: null, state: 'LOCKED' as const },
    'upload.open': true,
  });
  const take = (filter: object, update: object): Promise<Image | null> =>
    images.findOneAndUpdate(filter, update, { returnDocument: 'after' }).lean<Image>().exec();

  return {
    /** The image, for somebody who sends of it from an offset on, under an epoch of its own. null: nothing of it is taken any more. */
    claimUpload: (id: number, op: string, offset: number): Promise<Image | null> =>
      take(openOf(id, op), { $inc: { epoch: 1 }, $min: { 'upload.arrived': offset } }),

    /** So much of it has arrived. It is given more time if that is further than it was; false: it is not. */
    async uploadReached(image: Image, { op, epoch }: By, arrived: number, total: number): Promise<boolean> {
      if (!image.upload || !isUploadFurther(arrived, image.upload.arrived, total)) return false;
      await images.updateOne(
        { ...openOf(image._id, op), epoch },
        { $set: { 'upload.arrived': arrived, 'upload.at': new Date() } },
      );
      return true;
    },

    /** As much as was found in its datastore. */
    uploadFound: (id: number, op: string, arrived: number) =>
      images.updateOne(openOf(id, op), { $set: { 'upload.arrived': arrived } }),

    /** Nothing more is taken of it. false: it has got further since it was seen, or was closed. */
    async closeUpload(id: number, op: string, seen: Date | null): Promise<boolean> {
      const { modifiedCount } = await images.updateOne(
        { ...openOf(id, op), ...(seen && { 'upload.at': seen }) },
        { $set: { 'upload.open': false } },
      );
      return modifiedCount > 0;
    },

    /** The image, for whoever removes what there is of it: nothing more is taken of it. null: the operation has it no more. */
    claimToEmpty: (id: number, op: string): Promise<Image | null> =>
      images
        .findOneAndUpdate(
          // What is there whole by now is not taken from whoever may use it.
          { _id: id, operation: op, state: { $in: ['LOCKED', 'DELETE'] } },
          [
            {
              $set: {
                epoch: { $add: ['$epoch', 1] },
                upload: { $cond: [isUpload, { $mergeObjects: ['$upload', { open: false }] }, '$$REMOVE'] },
              },
            },
          ],
          { returnDocument: 'after', updatePipeline: true },
        )
        .lean<Image>()
        .exec(),

    /** Those of which all has come, or with which nobody has gone on for long: their operations may not have heard of it. */
    uploadsDue: (now: Date, most: number): Promise<Pick<Image, '_id'>[]> =>
      images
        .find(
          {
            'upload.open': true,
            $or: [
              { 'upload.at': { $lte: new Date(now.getTime() - uploadPatience) } },
              { $expr: { $gte: ['$upload.arrived', '$origin.upload.bytes'] } },
            ],
          },
          { _id: 1 },
        )
        .sort({ 'upload.at': 1 })
        .limit(most)
        .lean<Pick<Image, '_id'>[]>()
        .exec(),
  };
}
export type Uploads = ReturnType<typeof uploadsOf>;
