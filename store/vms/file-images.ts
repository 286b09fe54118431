import { type Finding, Problem } from '../../domain/problems.js';
import { mayUseImage, whyNoFile } from '../../domain/storage/image-use.js';
import { imageText } from '../../domain/vms/disk-wishes.js';
import { type FileWish, filesOf, fileWishes } from '../../domain/vms/vm-files.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { VmFile } from '../../schemas/vms/vm-files.js';
import { type ImageAsker, type ImagesFinding, imageNamed, type Maker, whoseImage } from './disk-images.js';

/**
 * The files of a template, in its order; null: it names none. Throws `invalid_request` with each image that is not there, is of another type, or cannot be a file as it is
 * called; `not_authorized` for those that `maker` may not USE, and what says why one cannot be used now.
 */
export async function filesFor(
  where: ImagesFinding,
  template: Vm['template'],
  { owner, maker }: ImageAsker,
): Promise<VmFile[] | null> {
  const { wishes } = fileWishes(template);
  if (wishes.length === 0) return null;
  const found = await Promise.all(
    wishes.map(async (wish) => ({ wish, image: await imageNamed(where, wish.image, owner) })),
  );
  const missing = found.flatMap(({ wish, image }) => (image ? [] : [missingOf(wish)]));
  if (missing.length > 0) throw unfit(missing);
  const who = await maker();
  const there = found.flatMap(({ wish, image }) => (image ? [{ wish, image }] : []));
  for (const { wish, image } of there) {
    if (!who || !mayUseImage(who, image))
      throw new Problem('not_authorized', `You need the USE right on image ${image._id}.`);
    const refusal = whyNoFile(image, wish.use);
    if (refusal?.code === 'invalid_request') throw unfit([`${wish.at}: ${refusal.why}`]);
    if (refusal) throw new Problem(refusal.code, refusal.why);
  }
  const { files, findings } = filesOf(there);
  if (findings.length > 0) throw unfit(findings);
  return files;
}

/**
 * What can be told of the files of a template when it is written, as `CONTEXT/FILES_DS …`: images that are named by their id, or with whose they are. Whose VMs it will be is
 * not known yet; nor is of an image that `author` may not USE more than that it is there.
 */
export async function filesAmiss(where: ImagesFinding, template: Vm['template'], author: Maker): Promise<string[]> {
  const nobody = -1;
  const known = fileWishes(template).wishes.filter(({ image }) => 'id' in image || image.owner !== null);
  const found = await Promise.all(
    known.map(async (wish) => ({ wish, image: await imageNamed(where, wish.image, nobody) })),
  );
  const amiss = found.flatMap(({ wish, image }) => {
    if (!image) return [missingOf(wish)];
    const refusal = mayUseImage(author, image) ? whyNoFile(image, wish.use) : null;
    return refusal?.code === 'invalid_request' ? [`${wish.at}: ${refusal.why}`] : [];
  });
  const seen = found.flatMap(({ wish, image }) => (image && mayUseImage(author, image) ? [{ wish, image }] : []));
  return amiss.length > 0 ? amiss : filesOf(seen).findings;
}

const missingOf = ({ at, image }: FileWish): string => `${at}: there is no ${imageText(image)}${whoseImage(image)}`;

const unfit = (details: readonly string[]): Problem => {
  const findings = details.map((detail): Finding => ({ pointer: '', detail }));
  return new Problem('invalid_request', `Its files cannot be had: ${details.join('; ')}.`, { findings });
};
