import { expect, it } from 'vitest';
import { fencing } from '../../adapters/fencing/fencing.js';
import type { Fencing, Power } from '../../adapters/fencing/port.js';
import type { Automatic } from '../../domain/hosts/fencing-methods.js';
import { problemOf } from '../../domain/problems.js';
import { FencingMethod } from '../../schemas/hosts/fencing.js';

/** One kind of method, with what it turns off and on. */
export type FencingWorld = {
  fencing: Fencing;
  method: Automatic;
  /** What it turns off, as it is; and brings it there otherwise than by it. */
  power: () => Promise<Power>;
  put: (power: Power) => Promise<void>;
  /** Ways in which it does not succeed, by what they are: the method then, and what is said. */
  failing: Readonly<Record<string, readonly [method: object, said: RegExp]>>;
  /** What is never said. */
  secret?: string;
};

export const fencedHost = { id: 3, name: "host-3'; echo $HOME" };

/** What each kind of method promises. */
export function fencingContract(inWorld: () => FencingWorld, failing: readonly string[]): void {
  const never = new AbortController().signal;
  const ask = (verb: 'on' | 'off' | 'status', method = inWorld().method, signal = never) =>
    inWorld().fencing[verb](fencedHost, method, signal);

  it('says whether the host has power, and turns it off and on: what is so already, too', async () => {
    const { power, put } = inWorld();
    await put('on');
    expect(await ask('status')).toBe('on');
    await ask('on');
    expect(await power()).toBe('on');
    await ask('off');
    expect([await power(), await ask('status')]).toEqual(['off', 'off']);
    await ask('off');
    expect(await power()).toBe('off');
    await ask('on');
    expect([await power(), await ask('status')]).toEqual(['on', 'on']);
  });

  it('has it off when it is asked twice at once', async () => {
    await inWorld().put('on');
    await Promise.all([ask('off'), ask('off')]);
    expect(await inWorld().power()).toBe('off');
  });

  it.each(failing)('never says that it is done, and says why, where %s', async (what) => {
    const { power, put, secret } = inWorld();
    const [method, said] = inWorld().failing[what] ?? [];
    if (!method || !said) throw new Error(`nobody says what that is: ${what}`);
    await put('on');
    for (const verb of ['off', 'status', 'on'] as const) {
      const problem = await ask(verb, storedMethod(method)).then(
        () => undefined,
        (error: unknown) => problemOf(error),
      );
      expect(problem?.code).toBe('not_fenced');
      expect(problem?.message).toMatch(said);
      if (secret !== undefined) expect(problem?.message).not.toContain(secret);
    }
    expect(await power()).toBe('on');
  });

  it('stops when nobody waits for it any more', async () => {
    await expect(ask('off', inWorld().method, AbortSignal.abort())).rejects.toThrow();
  });
}

/** A method as it is stored, with the box of its password open. */
export function storedMethod(wish: object): Automatic {
  const { password, ...method } = { password: '', ...FencingMethod.parse(wish) };
  switch (method.kind) {
    case 'redfish':
    case 'ipmi':
      return { ...method, password: { key: 'none', box: password } };
    case 'command':
    case 'libvirt':
      return method;
    case 'manual':
      throw new Error('a person turns it off');
  }
}

/** What carries such methods out. */
export const openFencing = (directory?: string): Fencing => fencing({ directory, open: ({ box }) => box });
