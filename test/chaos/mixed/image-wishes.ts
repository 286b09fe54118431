import { about, admitted, type Kind, type Pick } from './wish.js';

/** Clients are to meet at the same images, and at the same names. */
const names = Array.from({ length: 16 }, (_, at) => `image ${at}`);

/** What images are made of, or like, has a name that another may have taken. */
export const imageName = (pick: Pick): { name: string | undefined } => ({ name: pick(names) });

/** What clients ask for of images; that disks are saved and restored stands with VMs. */
export const imageWishes: readonly Kind[] = [
  {
    name: 'make an image',
    weight: 3,
    wish: ({ imageSource }, pick) =>
      admitted('/images', {
        ...imageName(pick),
        type: pick(['OS', 'DATABLOCK']),
        persistent: pick([true, false, false]),
        ...pick([
          { source: { empty: { size_mb: 4 } } },
          { source: { url: imageSource } },
          { source: { url: imageSource } },
          { source: { url: imageSource }, sha256: '0'.repeat(64) },
        ]),
      }),
  },
  {
    name: 'clone an image',
    weight: 1,
    wish: ({ images }, pick) => about(pick(images), (id) => admitted(`/images/${id}/clone`, imageName(pick))),
  },
  {
    name: 'change an image',
    weight: 2,
    wish: ({ images }, pick) =>
      about(pick(images), (id) => ({
        ...{ method: 'PATCH', path: `/images/${id}`, admits: false },
        body: pick([{ persistent: true }, { persistent: false }, { state: 'disabled' }, { state: 'enabled' }]),
      })),
  },
  {
    name: 'delete an image',
    weight: 3,
    wish: ({ images }, pick) =>
      about(pick(images), (id) => ({ method: 'DELETE', path: `/images/${id}`, admits: true })),
  },
];
