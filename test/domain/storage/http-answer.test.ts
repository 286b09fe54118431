import { describe, expect, it } from 'vitest';
import { type HttpAnswer, type Judged, judgeAnswer, validatorOf } from '../../../domain/storage/http-answer.js';

const fresh = { offset: 0, version: null };
const going = { offset: 100, version: '"tag"' };
const part: Partial<HttpAnswer> = {
  status: 206,
  contentLength: '50',
  contentRange: 'bytes 100-149/150',
  etag: '"tag"',
};

describe('an answer', () => {
  it.each<[string, Partial<HttpAnswer>, typeof fresh | typeof going, Judged['is'], object?]>([
    ['with a length', { status: 200, contentLength: '7' }, fresh, 'bytes', { offset: 0, total: 7 }],
    ['in pieces', { status: 200, chunked: true }, fresh, 'bytes', { offset: 0, total: null }],
    ['whose end nobody would know', { status: 200 }, fresh, 'refused'],
    ['with a length that is none', { status: 200, contentLength: '-7' }, fresh, 'refused'],
    ['that is packed', { status: 200, contentLength: '7', contentEncoding: 'br' }, fresh, 'refused'],
    ['that is a part nobody asked for', { ...part }, fresh, 'away'],
    ['that goes on', { ...part }, going, 'bytes', { offset: 100, total: 150 }],
    ['that goes on elsewhere', { ...part, contentRange: 'bytes 99-149/150' }, going, 'again'],
    ['that goes on to before the end', { ...part, contentRange: 'bytes 100-120/150' }, going, 'again'],
    ['that does not say where it goes on', { ...part, contentRange: undefined }, going, 'again'],
    ['that goes on with another file', { ...part, etag: '"other"' }, going, 'again'],
    ['that begins anew', { status: 200, contentLength: '7' }, going, 'bytes', { offset: 0, total: 7 }],
    ['that nothing is behind', { status: 416, contentRange: 'bytes */100' }, going, 'complete'],
    ['that it is shorter now', { status: 416, contentRange: 'bytes */90' }, going, 'again'],
    ['that there is no such part, of nothing', { status: 416 }, fresh, 'refused'],
    ['that leads on', { status: 308, location: '/there' }, fresh, 'elsewhere', { to: '/there' }],
    ['that leads nowhere', { status: 302 }, fresh, 'refused'],
    ['that nothing was changed', { status: 304 }, fresh, 'refused'],
    ['that it is not there', { status: 404 }, fresh, 'refused'],
    ['that it is busy', { status: 429 }, fresh, 'away'],
    ['that it is broken', { status: 502 }, fresh, 'away'],
  ])('%s', (_name, answer, asked, is, more = {}) => {
    expect(judgeAnswer({ status: 0, chunked: false, ...answer }, asked)).toMatchObject({ is, ...more });
  });

  const times = { date: 'Sun, 29 Nov 2026 12:00:10 GMT', lastModified: 'Sun, 29 Nov 2026 12:00:00 GMT' };
  it.each<[Partial<HttpAnswer>, string | null]>([
    [{ etag: '"tag"' }, '"tag"'],
    [{ etag: 'W/"tag"' }, null],
    [{ ...times, etag: 'W/"tag"' }, times.lastModified],
    [{ ...times, date: times.lastModified }, null],
    [{ lastModified: times.lastModified }, null],
    [{}, null],
  ])('with %j is known again by %j', (answer, validator) => {
    expect(validatorOf({ status: 200, chunked: false, ...answer })).toBe(validator);
  });
});
