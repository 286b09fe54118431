import { describe, expect, it } from 'vitest';
import { mayActOnImage } from '../../../domain/acts/image-acts.js';
import {
  type ImageEvent,
  imageStates,
  megabytesOf,
  nextImageState,
  sourceText,
  statesBefore,
} from '../../../domain/storage/image-states.js';
import { ImageState } from '../../../schemas/storage/image.js';

const states = ImageState.options;
const eventsOf = (state: ImageState) =>
  Object.keys(imageStates[state]).filter((name): name is ImageEvent => name !== '');

/** What a person asks for, and what comes by itself once nothing is in the way. */
const waysOf = (state: ImageState): ImageState[] =>
  eventsOf(state).flatMap((event) => nextImageState(state, event) ?? []);

describe('the states of images', () => {
  it.each(states)('%s has a way to READY, or to being removed', (state) => {
    const reached = new Set<ImageState>([state]);
    for (const at of reached) for (const next of waysOf(at)) reached.add(next);
    expect([...reached]).toEqual(expect.arrayContaining(['READY']));
    expect([...reached]).toEqual(expect.arrayContaining(['DELETE']));
  });

  it('on the way accept their own event again, for a second run', () => {
    expect(nextImageState('LOCKED', 'make')).toBe('LOCKED');
    expect(nextImageState('DELETE', 'remove')).toBe('DELETE');
  });

  it('let nobody remove what is in use, or what others are made of', () => {
    expect(statesBefore('remove')).toEqual(['LOCKED', 'READY', 'DISABLED', 'ERROR', 'DELETE']);
  });

  it('let a persistent image that is in use be cloned by nobody: it changes meanwhile', () => {
    expect(statesBefore('clone')).toEqual(['READY', 'USED', 'CLONE']);
  });
});

describe('what may be done to an image', () => {
  const image = (over: object = {}) => ({
    ...{ type: 'image' as const, id: 3, name: 'alpine', state: 'READY' as const, reason: null },
    ...{ vms: [], clones: [], work: null },
    ...over,
  });

  it('is refused by whom uses it', () => {
    expect(mayActOnImage(image({ state: 'USED', vms: [7, 9] }), 'remove')).toEqual({
      code: 'wrong_state',
      detail: 'Image 3 (alpine) is in use: VMs 7 and 9 use it.',
    });
    expect(mayActOnImage(image({ state: 'CLONE', clones: [4] }), 'remove')).toMatchObject({
      detail: 'Image 3 (alpine) is being cloned: image 4 is made of it.',
    });
  });

  it('names no more than some of those that use it', () => {
    const vms = Array.from({ length: 500 }, (_, id) => id);
    expect(mayActOnImage(image({ state: 'USED', vms }), 'retype')).toMatchObject({
      detail: expect.stringMatching(/^.{1,200}490 more use it\. Change its type or persistence when none does\.$/),
    });
  });

  it('is refused while something is at work on it, but for its removal, to which that gives way', () => {
    const work = { op: '01K', kind: 'createImage' as const, state: 'running' as const };
    const made = image({ state: 'LOCKED', work });
    expect(mayActOnImage(made, 'clone')).toMatchObject({ code: 'operation_in_progress', operation: '01K' });
    expect(mayActOnImage(made, 'remove')).toBe('may');
    expect(mayActOnImage(image({ state: 'DELETE', work: { ...work, kind: 'deleteImage' } }), 'remove')).toMatchObject({
      code: 'operation_in_progress',
    });
  });

  it.each(states)('of one that is %s is what its states say, without anything at work', (state) => {
    for (const wish of ['make', 'clone', 'remove', 'enable', 'disable'] as const) {
      const verdict = mayActOnImage(image({ state }), wish);
      expect(verdict === 'may', wish).toBe(verdict !== 'is so' && nextImageState(state, wish) !== undefined);
    }
  });
});

describe('an image', () => {
  it('is at least one MB, and whole ones', () => {
    expect([0, 1, 2 ** 20, 2 ** 20 + 1].map(megabytesOf)).toEqual([1, 1, 1, 2]);
  });

  it('shows nothing of an address that stands behind its path, which may sign it', () => {
    const url = 'https://example.org/images/alpine.qcow2?X-Amz-Signature=secret#part';
    expect(sourceText({ origin: { url } })).toBe('https://example.org/images/alpine.qcow2');
  });
});
