import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainOf, comparePieces, latestEpoch, nextPiece, type Piece } from '../../../domain/storage/staging-chain.js';

const piece = (name: string, start: number, bytes: number, parent: string | null = null): Piece => ({
  ...{ name, state: 'sealed', start, bytes, parent, version: 'one', total: null },
});
const partsOf = (pieces: Piece[]) => chainOf(pieces).parts.map((part) => [part.piece.name, part.bytes]);

describe('a chain of pieces', () => {
  it.each<[string, Piece[], [string, number][]]>([
    ['of none is nothing', [], []],
    ['of one is that', [piece('1.1', 0, 5)], [['1.1', 5]]],
    [
      'goes on in another',
      [piece('1.1', 0, 5), piece('2.1', 5, 3, '1.1')],
      [
        ['1.1', 5],
        ['2.1', 3],
      ],
    ],
    [
      'leaves out what was written behind the cut',
      [piece('1.1', 0, 9), piece('2.1', 5, 3, '1.1')],
      [
        ['1.1', 5],
        ['2.1', 3],
      ],
    ],
    ['stays what it was when nothing was added', [piece('1.1', 0, 9), piece('2.1', 5, 0, '1.1')], [['1.1', 5]]],
    [
      'passes over a piece behind the cut',
      [piece('1.1', 0, 9), piece('2.1', 7, 3, '1.1'), piece('3.1', 6, 1, '2.1')],
      [
        ['1.1', 6],
        ['3.1', 1],
      ],
    ],
    [
      'does not care for what came later with an older claim',
      [piece('1.1', 0, 9), piece('3.1', 5, 3, '1.1'), piece('2.1', 0, 9)],
      [
        ['1.1', 5],
        ['3.1', 3],
      ],
    ],
    ['begins anew', [piece('1.1', 0, 9), piece('2.1', 0, 3)], [['2.1', 3]]],
    ['is nothing when what it stands on is gone', [piece('2.1', 5, 3, '1.1')], []],
    ['is nothing when what it stands on is too short', [piece('1.1', 0, 4), piece('2.1', 5, 3, '1.1')], []],
    [
      'is nothing when it stands on what is younger',
      [piece('3.1', 0, 9), piece('2.1', 5, 3, '3.1')].reverse().slice(0, 1),
      [],
    ],
  ])('%s', (_name, pieces, parts) => {
    expect(partsOf(pieces)).toEqual(parts);
    expect(chainOf(pieces).bytes).toBe(parts.reduce((sum, [, bytes]) => sum + bytes, 0));
  });

  it('names pieces in the order of epochs, and of numbers in them', () => {
    expect(nextPiece(['1.9', '1.10', '2.1', 'draft.x', '1.2.open'], 1)).toBe('1.11');
    expect(nextPiece([], 7)).toBe('7.1');
    expect(latestEpoch(['9.1', '10.1', 'work.99'])).toBe(10);
    expect(comparePieces('2.10', '2.9')).toBeGreaterThan(0);
    expect(comparePieces('10.1', '9.9')).toBeGreaterThan(0);
  });
});

/** Any number of tries, each of which looks, begins, and writes piece by piece, in any order; some go on long after they were overtaken. */
describe('whatever tries do', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('begin' as const), epoch: fc.nat(5), source: fc.constantFrom('one', 'two') }),
    fc.record({ kind: fc.constant('write' as const), who: fc.nat(9), bytes: fc.integer({ min: 1, max: 4 }) }),
  );

  it('what has arrived is the beginning of what the latest of them brings', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        // Each byte says of which source it is, and where it belongs.
        const pieces: (Piece & { content: string[] })[] = [];
        for (const one of steps) {
          if (one.kind === 'begin') {
            const chain = chainOf(pieces);
            const latest = [...pieces].sort((a, b) => comparePieces(b.name, a.name))[0];
            const offset = chain.version === one.source ? chain.bytes : 0;
            const name = nextPiece(
              pieces.map((piece) => piece.name),
              one.epoch,
            );
            const parent = offset === 0 ? null : (latest?.name ?? null);
            const state = 'open' as const;
            pieces.push({
              name,
              state,
              start: offset,
              bytes: 0,
              parent,
              version: one.source,
              total: null,
              content: [],
            });
          } else {
            const writer = pieces[one.who];
            if (writer === undefined) continue;
            for (let n = 0; n < one.bytes; n++)
              writer.content.push(`${writer.version}@${writer.start + writer.bytes++}`);
          }
          const chain = chainOf(pieces);
          const content = chain.parts.flatMap(
            ({ piece, bytes }) => pieces.find(({ name }) => name === piece.name)?.content.slice(0, bytes) ?? [],
          );
          expect(content).toEqual(Array.from({ length: chain.bytes }, (_, at) => `${chain.version}@${at}`));
        }
      }),
    );
  });
});
