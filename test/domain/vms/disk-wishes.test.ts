import { describe, expect, it } from 'vitest';
import { type DiskSource, disksOf, diskWishes, imagesOf, storageWish } from '../../../domain/vms/disk-wishes.js';

const mebi = 2 ** 20;
const image = (over: Partial<DiskSource> = {}): DiskSource => ({
  ...{ _id: 7, name: 'alpine', type: 'OS', persistent: false, datastore_id: 1, ds_mad: 'fs' },
  ...{ format: 'qcow2', virtual_size: 512 * mebi },
  ...over,
});
const cdrom = image({ _id: 8, name: 'drivers', type: 'CDROM', format: 'raw', virtual_size: 10 * mebi - 1 });
const data = image({ _id: 9, name: 'data', type: 'DATABLOCK', persistent: true, format: 'raw' });

/** The disks of a template whose disks are, in their order, of these images; null: volatile. */
function made(DISK: object[], images: (DiskSource | null)[]) {
  const { wishes, findings } = diskWishes(DISK);
  expect(findings).toEqual([]);
  return disksOf(wishes, new Map(images.flatMap((one, at) => (one ? [[at, one] as const] : []))));
}
const targets = (...args: Parameters<typeof made>) => made(...args).disks.map(({ target }) => target);
const volatile = { TYPE: 'swap', SIZE: 64 };

describe('the devices of disks', () => {
  it.each([
    ['one system', [{ IMAGE_ID: 7 }], [image()], ['vda']],
    ['a system goes before what is named first', [volatile, { IMAGE_ID: 7 }], [null, image()], ['vdb', 'vda']],
    [
      'CD-ROMs are on a bus of their own',
      [{ IMAGE_ID: 9 }, { IMAGE_ID: 8 }, { IMAGE_ID: 7 }],
      [data, cdrom, image()],
      ['vdb', 'hda', 'vda'],
    ],
    ['of two systems the first', [{ IMAGE_ID: 7 }, { IMAGE_ID: 7 }], [image(), image()], ['vda', 'vdb']],
    [
      'as it is said',
      [{ IMAGE_ID: 7, TARGET: 'vdb' }, volatile, volatile],
      [image(), null, null],
      ['vdb', 'vda', 'vdc'],
    ],
    [
      'of the bus that is said',
      [
        { IMAGE_ID: 7, DEV_PREFIX: 'SD' },
        { ...volatile, DEV_PREFIX: 'sd' },
      ],
      [image(), null],
      ['sda', 'sdb'],
    ],
    [
      'of the bus that its image says, unless the disk does',
      [{ IMAGE_ID: 7 }, { IMAGE_ID: 7, DEV_PREFIX: 'hd' }, { IMAGE_ID: 8 }],
      [image({ attributes: { DEV_PREFIX: 'SD' } }), image({ attributes: { DEV_PREFIX: 'sd' } }), cdrom],
      ['sda', 'hda', 'hdb'],
    ],
    [
      'as is usual where its image says what is none',
      [{ IMAGE_ID: 7 }],
      [image({ attributes: { DEV_PREFIX: 'x' } })],
      ['vda'],
    ],
  ])('%s', (_, disks, images, expected) => {
    expect(targets(disks, images)).toEqual(expected);
  });

  it('are as many as there are letters', () => {
    const many = Array.from({ length: 26 }, () => volatile);
    expect(made(many, []).findings).toEqual([]);
    const { wishes } = diskWishes([volatile]);
    const taken = made(many, []).disks.map(({ target }) => target);
    expect(disksOf(wishes, new Map(), taken).findings).toEqual([
      'DISK/0/TARGET is needed: no device is free from vda to vdz',
    ]);
  });
});

describe('a disk of an image', () => {
  it.each([
    ['is one of its own', {}, image(), { type: 'file', format: 'qcow2', size: 512, way: 'clone' }],
    ['is larger', { SIZE: '600' }, image(), { type: 'file', format: 'qcow2', size: 600, way: 'clone' }],
    [
      'of raw bytes is a clone all the same',
      {},
      image({ format: 'raw' }),
      { type: 'file', format: 'qcow2', size: 512, way: 'clone' },
    ],
    ['is the image, where that is persistent', {}, data, { type: 'file', format: 'raw', size: 512, way: 'use' }],
    [
      'is the image, where it is only read',
      { READONLY: 'YES' },
      image(),
      { type: 'file', format: 'qcow2', size: 512, way: 'use', readonly: true },
    ],
    ['of a CD-ROM is only read', {}, cdrom, { type: 'cdrom', format: 'raw', size: 10, way: 'use', readonly: true }],
  ])('%s', (_, more, of, { way, ...expected }) => {
    const { disks, findings } = made([{ IMAGE_ID: of._id, ...more }], [of]);
    expect(findings).toEqual([]);
    expect(disks).toHaveLength(1);
    expect(disks[0]).toMatchObject({
      ...expected,
      image: { id: of._id, datastore: 1, way, persistent: of.persistent },
    });
  });

  it.each([
    ['smaller than it', { SIZE: 511 }, image(), 'DISK/0/SIZE must be at least 512, as large as image 7 (alpine)'],
    [
      'larger than what it is itself',
      { SIZE: 600 },
      data,
      'DISK/0/SIZE is for disks of their own: image 9 (data) is persistent, and used as it is',
    ],
    [
      'larger than what is only read',
      { SIZE: 600, READONLY: 'yes' },
      image(),
      'DISK/0/SIZE is for disks of their own: image 7 (alpine) is only read, and used as it is',
    ],
  ])('is not %s', (_, more, of, finding) => {
    expect(made([{ IMAGE_ID: of._id, ...more }], [of])).toMatchObject({ disks: [], findings: [finding] });
  });
});

it('says what is wrong with disks of a template', () => {
  expect(
    diskWishes([
      { IMAGE_ID: 'seven' },
      { IMAGE: 'a', IMAGE_UID: 'x' },
      { IMAGE: 'a', READONLY: 'maybe' },
      { IMAGE: 'a', CACHE: 'warm' },
      { IMAGE: 'a', SIZE: 'large' },
      { IMAGE: 'a', TARGET: 'first' },
      { SIZE: 10 },
      { TYPE: 'file', SIZE: 10 },
    ]).findings,
  ).toEqual([
    'DISK/0/IMAGE_ID must be an id',
    'DISK/1/IMAGE_UID must be an id',
    'DISK/2/READONLY must be YES or NO',
    'DISK/3/CACHE must be default, none, writethrough, writeback, directsync or unsafe',
    'DISK/4/SIZE must be an integer, in MB',
    'DISK/5/TARGET must be a device such as vdb',
    'DISK/6/TYPE is required of a disk that names no IMAGE: fs or swap',
    'DISK/7/TYPE must be fs or swap',
  ]);
});

it('says which image is meant, the id before the name', () => {
  const { wishes } = diskWishes([
    { IMAGE_ID: '3', IMAGE: 'a' },
    { IMAGE: 'a' },
    { IMAGE: 'a', IMAGE_UNAME: 'bob' },
    { IMAGE: 'a', IMAGE_UID: '5' },
  ]);
  expect(wishes.map(({ of }) => ('image' in of ? of.image : null))).toEqual([
    { id: 3 },
    { name: 'a', owner: null },
    { name: 'a', owner: 'bob' },
    { name: 'a', owner: 5 },
  ]);
});

it('asks a datastore for what is written there, of the kind of its images', () => {
  const { disks } = made([{ IMAGE_ID: 7, SIZE: 600 }, { IMAGE_ID: 9 }, volatile], [image(), data, null]);
  expect(storageWish(disks)).toMatchObject({
    mb: 664,
    kinds: ['fs'],
    images: [{ id: 7 }, { id: 9, persistent: true }],
  });
  expect(storageWish([])).toBeNull();
  expect(imagesOf(disks)).toEqual([7, 9]);
});
