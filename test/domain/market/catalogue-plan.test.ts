import { describe, expect, it } from 'vitest';
import { appliancesIn, type CatalogueApp } from '../../../domain/market/appliances.js';
import { type KnownApp, planCatalogue } from '../../../domain/market/catalogue-plan.js';

const found = (upstream: string, over: Partial<CatalogueApp> = {}): CatalogueApp => ({
  ...{ upstream, name: 'ttylinux', description: '', version: '1.0', publisher: 'OpenNebula.org', tags: ['linux'] },
  ...{ format: 'qcow2', bytes: 5, md5: null, url: `http://market.test/${upstream}`, created_at: null },
  ...{ attributes: { DEV_PREFIX: 'hd', TYPE: 'DATABLOCK' }, vm_template: { CPU: '1' } },
  ...over,
});
/** As it is known once it was taken over. */
function known(id: number, one: CatalogueApp, exports: string[] = []): KnownApp {
  const [inserted] = planCatalogue([], [one]).insert;
  if (inserted === undefined) throw new Error('it was not taken over');
  return { _id: id, upstream: one.upstream, exports, ...inserted.told };
}

describe('what a look at a catalogue comes to', () => {
  it('takes over what is new, as what images of it are', () => {
    expect(planCatalogue([], [found('a')])).toEqual({
      insert: [
        {
          upstream: 'a',
          created_at: null,
          told: expect.objectContaining({
            name: 'ttylinux',
            parts: [expect.objectContaining({ image_type: 'DATABLOCK', url: 'http://market.test/a' })],
          }),
        },
      ],
      change: [],
      remove: [],
    });
  });

  it('changes nothing where nothing has changed, and two of one name are two', () => {
    const all = [found('a'), found('b')];
    const there = all.map((one, at) => known(at, one));
    expect(planCatalogue(there, all)).toEqual({ insert: [], change: [], remove: [] });
  });

  it('knows one by its id there, whatever it is called, and takes over what was changed of it', () => {
    const plan = planCatalogue([known(7, found('a'))], [found('a', { name: 'ttylinux 2', version: '2.0' })]);
    expect(plan).toMatchObject({
      insert: [],
      remove: [],
      change: [{ id: 7, told: { name: 'ttylinux 2', version: '2.0' } }],
    });
    // Neither its state nor whose it is.
    expect(Object.keys(plan.change[0]?.told ?? {})).not.toContain('state');
  });

  it('removes what is gone, unless something is made of it', () => {
    const there = [known(7, found('a')), known(8, found('b'), ['01K']), known(9, found('c'))];
    expect(planCatalogue(there, [found('c')]).remove).toEqual([7]);
    expect(planCatalogue(there, []).remove).toEqual([7, 9]);
  });
});

describe('a catalogue in OpenNebula’s form', () => {
  const one = (over: object) => ({
    ...{ _id: { $oid: '4f' }, name: 'x', files: [{ size: 1_048_577 }] },
    ...over,
  });
  const read = (...appliances: unknown[]) => appliancesIn(JSON.stringify({ appliances }), 'http://market.test');

  it('lacks tags, a version, a publisher, a template, and is read', () => {
    expect(read(one({}))?.apps).toMatchObject([
      {
        tags: [],
        version: '0.0',
        publisher: '',
        bytes: 1_048_577,
        vm_template: null,
        created_at: null,
        attributes: {},
      },
    ]);
  });

  it.each([
    ['a time that is none', { creation_time: 4e15 }],
    ['a sum that is none', { files: [{ md5: 'not a sum', size: -1 }] }],
    ['tags that are none', { tags: 'linux' }],
    ['a template that is broken', { opennebula_template: '{"CPU"' }],
    ['a template that is a list', { opennebula_template: '[1]' }],
  ])('has %s, which is left out', (_what, over) => {
    const [app] = read(one(over))?.apps ?? [];
    expect(app).toMatchObject({ upstream: '4f', tags: [], md5: null, created_at: null, vm_template: null });
  });

  it('leaves out what nobody can be told of, or fetch', () => {
    const bad = [one({ name: '' }), one({ _id: { $oid: '../etc' } }), one({ files: [] }), 'x', null];
    expect(read(...bad)).toEqual({ apps: [], unread: 5 });
  });

  it('is no catalogue when it is something else', () => {
    for (const text of ['', '{', 'null', '[]', '{"appliances":{}}'])
      expect(appliancesIn(text, 'x'), text).toBeUndefined();
  });

  it('has no control characters in what people read', () => {
    expect(read(one({ name: 'a\u001b[31m\nb', short_description: 'x\u0000y' }))?.apps[0]).toMatchObject({
      name: 'a [31m b',
      description: 'xy',
    });
  });
});
