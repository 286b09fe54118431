import { describe, expect, it } from 'vitest';
import { AppState } from '../../../schemas/market/app.js';
import { endedOperations, image, ofImage, openOperations } from './image-cases.js';
import { app, bytes, key, lies, ofMarket } from './market-cases.js';

describe('an app that fits', () => {
  it.each(['READY', 'DISABLED'] as const)('is %s, with all of its bytes', (state) => {
    expect(ofMarket(lies(key), [app(state)])).toEqual([]);
    expect(ofMarket(lies(key), [app(state, { exports: [...openOperations] })])).toEqual([]);
  });

  it('failed, and has all of its bytes, some or none', () => {
    for (const lying of [lies(key), [{ key, bytes: 1, whole: false }], []])
      expect(ofMarket(lying, [app('ERROR')])).toEqual([]);
  });

  it.each(AppState.options)(
    'is %s, whatever else is said of it, with an operation on it that has not ended',
    (state) => {
      for (const open of openOperations)
        for (const other of [null, ...endedOperations])
          for (const named of [
            { operation: open, wanted: other },
            { operation: other, wanted: open },
          ])
            for (const lying of [lies(key), [{ key, bytes: 1, whole: false }], [], null])
              expect(ofMarket(lying, [app(state, named)])).toEqual([]);
    },
  );

  it('is one of a catalogue of others, whose bytes are there', () => {
    const [part] = app('READY').parts;
    if (!part) throw new Error('an app has a part');
    expect(ofMarket([], [app('READY', { parts: [{ ...part, key: null, url: 'https://example.com/a' }] })])).toEqual([]);
  });
});

describe('what lies in a marketplace and fits', () => {
  it('is of an app of another marketplace that is in the same bucket', () => {
    expect(ofMarket(lies(key), [app('READY', { market_id: 2 })])).toEqual([]);
  });

  it('is not known where it does not answer: none of its apps lacks anything', () => {
    const apps = [app('READY'), app('ERROR', { _id: 6, wanted: 'lost' })];
    expect(ofMarket({ error: 'no answer' }, apps).map(({ code }) => code)).toEqual([
      'app_wanted_stale',
      'market_unreachable',
    ]);
  });

  it('lacks each part by its own', () => {
    const [part] = app('READY').parts;
    const second = `${key.slice(0, -1)}b`;
    const parts = part ? [part, { ...part, key: second, bytes }] : [];
    expect(ofMarket(lies(key), [app('READY', { parts })])).toMatchObject([{ seen: { lacking: [second] } }]);
  });
});

describe('an image of which apps are published', () => {
  it.each(openOperations)('fits while the publication is %s', (op) => {
    expect(ofImage(image('CLONE', { clones: [], apps: [5] }), { apps: [app('LOCKED', { operation: op })] })).toEqual(
      [],
    );
  });

  it('is told to be free only when the last name is off', () => {
    const seen = image('CLONE', { clones: [], apps: [5] });
    expect(ofImage(seen).map(({ code }) => code)).toEqual(['image_app_stale']);
    expect(ofImage({ ...seen, apps: [] }).map(({ code }) => code)).toEqual(['image_state_wrong']);
  });
});
