import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFileName } from '../../../domain/storage/file-name.js';
import { imagesUsedBy } from '../../../domain/vms/boot-files.js';
import { readFileReferences } from '../../../domain/vms/file-references.js';
import { filesOf, fileWishes } from '../../../domain/vms/vm-files.js';
import { limits } from '../../../schemas/common/limits.js';

describe('images that are named as files', () => {
  it.each([
    ['$FILE[IMAGE_ID=7]', [{ id: 7 }]],
    ['$FILE[IMAGE="init.sh"]', [{ name: 'init.sh', owner: null }]],
    ['$FILE[ image = init.sh ]', [{ name: 'init.sh', owner: null }]],
    ['$FILE[IMAGE="a]b, c", IMAGE_UNAME="alice"]', [{ name: 'a]b, c', owner: 'alice' }]],
    ['$FILE[IMAGE=a,IMAGE_UID=3]', [{ name: 'a', owner: 3 }]],
    ['$FILE[IMAGE="a", IMAGE_ID="7"]', [{ id: 7 }]],
    ['$FILE[IMAGE_ID=1] $FILE[IMAGE_ID=2],\n$file[IMAGE_ID=3]', [{ id: 1 }, { id: 2 }, { id: 3 }]],
  ])('%s', (text, images) => {
    expect(readFileReferences(text)).toEqual(images);
  });

  it.each([
    '',
    '/etc/passwd',
    '$FILE',
    '$FILE[]',
    '$FILE[IMAGE_ID]',
    '$FILE[IMAGE_ID=]',
    '$FILE[IMAGE_ID=-1]',
    '$FILE[IMAGE_ID=1e3]',
    '$FILE[IMAGE="a]',
    '$FILE[IMAGE="a" b]',
    '$FILE[IMAGE=a',
    '$FILE[IMAGE_UNAME=alice]',
    '$FILE[IMAGE=a, IMAGE=b]',
    '$FILE[PATH="/etc/passwd"]',
    '$FILE[IMAGE_ID=1] and more',
    '$IMAGE[IMAGE_ID=1]',
  ])('%j is refused, and said how it is to be', (text) => {
    expect(readFileReferences(text)).toMatch(/is to be as \$FILE\[IMAGE_ID=7\]/);
  });

  it('are read of whatever is said, or refused', () => {
    const piece = fc.constantFrom('$FILE[', 'IMAGE_ID=', 'IMAGE=', '7', '"', ']', ',', ' ', 'a', '\n', '$');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 30 }), (pieces) => {
        const read = readFileReferences(pieces.join(''));
        expect(typeof read === 'string' || read.length > 0).toBe(true);
      }),
    );
  });
});

describe('the files of a template', () => {
  it('are those of FILES_DS, the kernel and the RAM disk', () => {
    const template = {
      CONTEXT: { FILES_DS: '$FILE[IMAGE_ID=1] $FILE[IMAGE_ID=2]' },
      OS: { KERNEL_DS: '$FILE[IMAGE_ID=3]', INITRD_DS: '$FILE[IMAGE_ID=4]' },
    };
    const { wishes, findings } = fileWishes(template);
    expect(findings).toEqual([]);
    expect(wishes.map(({ use, image }) => [use, 'id' in image && image.id])).toEqual([
      ['CONTEXT', 1],
      ['CONTEXT', 2],
      ['KERNEL', 3],
      ['RAMDISK', 4],
    ]);
    expect(fileWishes({ CONTEXT: { FILES_DS: '', FILES: '' } })).toEqual({ wishes: [], findings: [] });
  });

  it.each([
    [
      { CONTEXT: { FILES_DS: '$FILE[IMAGE_ID=1]'.repeat(limits.contextFiles.most + 1) } },
      /names 33 images, and may name 32/,
    ],
    [{ OS: { KERNEL_DS: '$FILE[IMAGE_ID=1] $FILE[IMAGE_ID=2]' } }, /^OS\/KERNEL_DS names 2 images, and may name one/],
    [{ OS: { INITRD_DS: { IMAGE_ID: 1 } } }, /^OS\/INITRD_DS is empty, and is to be as/],
    [{ CONTEXT: { FILES: '/etc/passwd' } }, /^CONTEXT\/FILES names files of the machine .* FILES_DS$/],
  ])('are refused: %j', (template, why) => {
    expect(fileWishes(template).findings).toEqual([expect.stringMatching(why)]);
  });

  const image = (_id: number, name: string, bytes = 10) =>
    ({
      ...{ _id, name, bytes, datastore_id: 2, ds_mad: 'fs' as const },
    }) as const;
  const wished = (use: 'CONTEXT' | 'KERNEL', ...images: ReturnType<typeof image>[]) =>
    filesOf(images.map((one) => ({ wish: { use, at: 'CONTEXT/FILES_DS', image: { id: one._id } }, image: one })));

  it('are called as their images are', () => {
    expect(wished('CONTEXT', image(1, 'init.sh'))).toEqual({
      findings: [],
      files: [{ use: 'CONTEXT', name: 'init.sh', image: { id: 1, datastore: 2, ds_mad: 'fs' } }],
    });
    expect(wished('KERNEL', image(1, '../vmlinuz')).findings).toEqual([]);
  });

  it('are used as disks are where the VM is booted by them, and read where its guest finds them', () => {
    const { files } = wished('CONTEXT', image(1, 'init.sh'));
    const [kernel, ramdisk] = (['KERNEL', 'RAMDISK'] as const).map(
      (use, at) => ({ use, name: 'k', image: { id: 5 + at, datastore: 2, ds_mad: 'fs' } }) as const,
    );
    if (!kernel || !ramdisk) throw new Error('there are two');
    expect(imagesUsedBy({ files: [...files, kernel, ramdisk] })).toEqual([5, 6]);
    // Nothing reads a RAM disk without a kernel.
    expect(imagesUsedBy({ files: [...files, ramdisk] })).toEqual([]);
    expect(imagesUsedBy({})).toEqual([]);
  });

  it('cannot be larger than a guest is booted by', () => {
    const { findings } = wished('KERNEL', image(1, 'vmlinuz', 2 ** 28), image(2, 'vmlinuz', 2 ** 28 + 1));
    expect(findings).toEqual([expect.stringMatching(/image 2 \(vmlinuz\) has 268,435,457 bytes.* of 256 MB at most/)]);
  });

  it.each([
    [[image(1, '../etc/passwd')], /no file can have/],
    [[image(1, '..')], /no file can have/],
    [[image(1, 'Context.sh')], /is called as a file that each guest is told by/],
    [[image(1, 'a'), image(2, 'A')], /image 2 \(A\) is called as image 1/],
    [[image(1, 'a'), image(1, 'a')], /names image 1 \(a\) twice/],
    [[image(1, 'a', 2 ** 28), image(2, 'b', 1)], /files of 268,435,457 bytes, and guests may be given 256 MB/],
  ])('cannot be %j', (images, why) => {
    expect(wished('CONTEXT', ...images).findings).toEqual([expect.stringMatching(why)]);
  });

  it.each(['init.sh', '.profile', 'with blanks', 'é', '...', 'x'.repeat(255)])('may be called %j', (name) => {
    expect(isFileName(name)).toBe(true);
  });

  it.each(['', '.', '..', 'a/b', '/a', 'a\\b', 'a\nb', 'a\0b', '\u0085', 'x'.repeat(256), 'é'.repeat(128)])(
    'cannot be called %j',
    (name) => {
      expect(isFileName(name)).toBe(false);
    },
  );
});
