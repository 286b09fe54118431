import { z } from 'zod';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import type { Credentials } from '../../requests/identity/identity.js';
import type { Operations } from '../../requests/operations.js';

const untouched = (): never => {
  throw new Error('a request that is not valid reached the operations');
};

/** Whatever is looked for in it, and called. */
const unreachable: object = new Proxy(untouched, { get: () => unreachable });

type Given = { [Room in keyof Operations]?: Partial<Operations[Room]> };

/** Operations that must not be reached: the HTTP shell alone has to refuse. Those that a test needs are given. */
export const unreachableOperations = (given: Given = {}): Operations =>
  z
    .custom<Operations>(() => true)
    .parse(
      new Proxy(given, {
        get: (rooms, name): unknown =>
          new Proxy(Reflect.get(rooms, name) ?? {}, {
            get: (room, deed): unknown => Reflect.get(room, deed) ?? unreachable,
          }),
      }),
    );

export const onlyOneadmin = {
  authenticate: async ({ name, secret }: Credentials): Promise<Caller> => {
    if (name === 'oneadmin' && secret === 'secret:with:colons') return { id: 0, name, gid: 0, groups: [0], rules: [] };
    throw new Problem('not_authenticated', 'The name or the password is wrong.');
  },
};
