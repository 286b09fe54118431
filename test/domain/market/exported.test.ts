import { expect, it } from 'vitest';
import { appKey, appOfKey, isAppKey } from '../../../domain/market/app-key.js';
import { addressOf, sourceOf } from '../../../domain/market/app-source.js';
import {
  boundTemplate,
  exportedImage,
  exportedVmTemplate,
  imageTypeIn,
  namesOfParts,
} from '../../../domain/market/exported.js';
import { VmTemplateBody } from '../../../schemas/vms/vm-template.js';

const chance = '9e107d9d372bb6826bd81d3542a419d6';

it('keeps room for what is known of an app, and bounds it where that is all there is', () => {
  const app = {
    ...{ bytes: 3 * 2 ** 20 + 1, md5: 'm', sha256: 's', virtual_size: 10 * 2 ** 20, url: null },
    ...{ image_type: 'OS' as const, app_template: { DEV_PREFIX: 'vd' } },
  };
  expect(exportedImage(app)).toEqual({
    ...{ type: 'OS', attributes: { DEV_PREFIX: 'vd' }, size_mb: 10 },
    wish: { size_mb: 10, sha256: 's', md5: 'm' },
  });
  // What is packed comes to more than what is fetched of it.
  expect(exportedImage({ ...app, url: 'http://x/y', virtual_size: null, sha256: null })).toMatchObject({
    ...{ size_mb: 4, wish: { size_mb: null, md5: 'm' } },
  });
  expect(imageTypeIn({ TYPE: 'CDROM' })).toBe('CDROM');
  expect(imageTypeIn({ TYPE: 'constructor' })).toBe('OS');
});

it('binds the first disk of a VM template to the image, and leaves out those of others', () => {
  expect(exportedVmTemplate({ CPU: 1 }, 7)).toEqual({ CPU: 1, DISK: [{ IMAGE_ID: 7 }] });
  const DISK = [
    { IMAGE: 'x', IMAGE_UNAME: 'y', TARGET: 'vda' },
    { IMAGE_ID: 3, TARGET: 'vdb' },
    { TYPE: 'swap', SIZE: 4 },
  ];
  expect(exportedVmTemplate({ DISK }, 7)).toEqual({
    DISK: [
      { TARGET: 'vda', IMAGE_ID: 7 },
      { TYPE: 'swap', SIZE: 4 },
    ],
  });
});

it('finds the bytes of an app by its key, wherever its marketplace is by now', () => {
  const key = appKey(12, chance);
  expect([isAppKey(key), appOfKey(key)]).toEqual([true, 12]);
  for (const other of ['index.html', `marketapp-12-${chance}x`, `marketapp-012-${chance}`, `../${key}`])
    expect([isAppKey(other), appOfKey(other)]).toEqual([false, undefined]);
  const http = { base_url: 'http://market.test/apps', public_dir: '/srv' };
  expect(addressOf({ key, url: null }, { _id: 100, http })).toEqual({ url: `http://market.test/apps/${key}` });
  expect(sourceOf({ key: null, url: 'http://x/y' }, { _id: 0 })).toBe('http://x/y');
  expect(sourceOf({ key: null, url: null }, { _id: 0 })).toBeNull();
});

it('binds disks of a template that an app carries to images of its parts, each by its place', () => {
  const template = {
    CPU: 1,
    MEMORY: 64,
    DISK: [{ IMAGE: 'a', IMAGE_UNAME: 'x', TARGET: 'vda' }, { TYPE: 'swap' }, { IMAGE_ID: 5 }],
  };
  const disks = [
    { place: 0, part: 1 },
    { place: 2, part: 0 },
  ];
  expect(boundTemplate({ name: 'web', template: VmTemplateBody.parse(template), disks }, [70, 71])).toMatchObject({
    ...{ CPU: 1, MEMORY: 64 },
    DISK: [{ TARGET: 'vda', IMAGE_ID: 71 }, { TYPE: 'swap' }, { IMAGE_ID: 70 }],
  });
});

it('calls images of parts after what was asked for, each once', () => {
  expect(namesOfParts('shop', [{ name: 'debian' }])).toEqual(['shop']);
  expect(namesOfParts('shop', [{ name: 'debian' }, { name: 'data' }, { name: 'debian' }])).toEqual([
    ...['shop-debian', 'shop-data', 'shop-debian-2'],
  ]);
});
