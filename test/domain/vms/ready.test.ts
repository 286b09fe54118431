import { describe, expect, it } from 'vitest';
import { isReady } from '../../../domain/vms/ready.js';

describe('a guest', () => {
  it.each(['YES', 'yes', ' Yes\n'])('is ready with READY=%j', (reported) => {
    expect(isReady({ READY: reported })).toBe(true);
  });

  it.each(['NO', '', 'YES please', true, null, ['YES'], undefined])('is not ready with READY=%j', (reported) => {
    expect(isReady({ READY: reported })).toBe(false);
  });

  it('is not ready before it has said so', () => {
    expect(isReady({ ready: 'YES' })).toBe(false);
  });
});
