import { z } from 'zod';
import { Chmod, type Chown, Octet } from '../../schemas/identity/ownership.js';
import { type Answer, type Asked, checked, done, refused } from './route.js';

const Sent = z.looseObject({
  action: z.looseObject({ perform: z.string(), params: z.record(z.string(), z.unknown()).nullish() }),
});

type Params = Readonly<Record<string, unknown>>;
/** What one `perform` does; undefined: there is nothing to tell of it, which is 204. */
export type Perform = (asked: Asked, params: Params) => Promise<Answer | undefined>;

/** `{"action":{"perform":…,"params":{…}}}`: does what the table says under that name. Most answers are 204. */
export const actionOf =
  (table: Readonly<Record<string, Perform>>) =>
  async (asked: Asked): Promise<Answer> => {
    const { perform, params } = performOf(asked.body);
    const performed = Object.hasOwn(table, perform) ? table[perform] : undefined;
    if (!performed) throw refused(`Action ${perform} not supported`);
    return (await performed(asked, params)) ?? done;
  };

export function performOf(body: unknown): { perform: string; params: Params } {
  const { action } = checked(Sent, body ?? {});
  return { perform: action.perform, params: action.params ?? {} };
}

/** Ids come as numbers or as digits; -1 means that it stays as it is. */
const Id = z.preprocess(
  (value) => (typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value),
  z.int().min(-1),
);

type Ownership = {
  chmod: (caller: Asked['caller'], id: number, request: Chmod) => Promise<unknown>;
  chown: (caller: Asked['caller'], id: number, request: Chown) => Promise<unknown>;
};

/** What services and templates have alike: chown, chgrp, chmod. */
export function ownershipActions({ chmod, chown }: Ownership): Record<'chown' | 'chgrp' | 'chmod', Perform> {
  const give = async ({ caller, id }: Asked, { uid, gid }: { uid?: number | undefined; gid?: number | undefined }) => {
    const to = {
      ...(uid !== undefined && uid >= 0 && { uid }),
      ...(gid !== undefined && gid >= 0 && { gid }),
    };
    if (Object.keys(to).length > 0) await chown(caller, id, to);
  };
  return {
    chown: async (asked, { owner_id, group_id }) => {
      if (owner_id === undefined) throw refused('Action chown: You have to specify a UID');
      const sent = checked(z.object({ owner_id: Id, group_id: Id.optional() }), { owner_id, group_id });
      await give(asked, { uid: sent.owner_id, gid: sent.group_id });
    },
    chgrp: async (asked, { group_id }) => {
      if (group_id === undefined) throw refused('Action chgrp: You have to specify a GID');
      await give(asked, { gid: checked(z.object({ group_id: Id }), { group_id }).group_id });
    },
    chmod: async ({ caller, id }, { octet }) => {
      if (octet === undefined) throw refused('Action chmod: You have to specify an OCTET');
      await chmod(caller, id, checked(Chmod, { octet: checked(z.object({ octet: Octet }), { octet }).octet }));
    },
  };
}
