import { describe, expect, it } from 'vitest';
import { edits, type Needs } from '../../../api/native/needs.js';
import { needsInWords } from '../../../api/native/needs-words.js';

/** What a route whose path has these parts may need. */
const needs = <Param extends string = never>(its: Needs<Param>): Needs => its;

describe('what a route needs', () => {
  it('is told in words', () => {
    expect(needsInWords(['credentials'])).toBe('none');
    expect(needsInWords([edits('host')])).toBe('ADMIN on the host');
    expect(
      needsInWords([
        ['create', 'vm'],
        ['use', 'vm_template', { at: '/template_id' }],
      ]),
    ).toBe('CREATE on VM, and USE on the VM template');
    expect(
      needsInWords([
        ['manage', 'vm'],
        ['admin', 'vm', { when: 'on Sundays' }],
        ['use', 'group', { at: '/gid', as: 'a new group' }],
      ]),
    ).toBe('MANAGE on the VM, but ADMIN on Sundays; and USE on a new group');
  });

  it('is a right that there is, on a kind that there is, on what stands in the path: else it does not compile', () => {
    needs<'id'>([['manage', 'vm']]);
    needs<'id' | 'group_id'>([['manage', 'group', { at: 'group_id' }]]);
    // @ts-expect-error: it says nothing
    needs([]);
    // @ts-expect-error: the path has no {id}
    needs([['manage', 'vm']]);
    // @ts-expect-error: nor this part
    needs<'id'>([['manage', 'group', { at: 'group_id' }]]);
    // @ts-expect-error: no such right
    needs<'id'>([['own', 'vm']]);
    // @ts-expect-error: no such kind
    needs<'id'>([['manage', 'moon']]);
    // @ts-expect-error: nobody has rights on tokens
    needs<'id'>([['manage', 'token']]);
  });
});
