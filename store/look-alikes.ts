import type { ClientSession, Model } from 'mongoose';
import { lookOf } from '../domain/given-names.js';
import type { Index } from './model.js';

/** Case, width and the like are what it does not tell apart. */
const collation = { locale: 'en', strength: 2 };
/** Of names that are the same to the collation, which does not tell kana apart either. */
const most = 1_000;

/** Finds names by their look. */
export const lookIndex: Index = { fields: { name: 1 }, options: { name: 'by_look', collation } };

/** Those whose names look like this one, but for case and the like. */
export async function lookAlikes<T extends { _id: number; name: string }>(
  model: Model<T>,
  name: string,
  session: ClientSession,
): Promise<Pick<T, '_id' | 'name'>[]> {
  const found = await model
    .find({ name: name.normalize('NFC') })
    .collation(collation)
    .limit(most)
    .session(session)
    .lean<T[]>()
    .exec();
  return found.filter((one) => lookOf(one.name) === lookOf(name));
}
