import { z } from 'zod';
import { json } from '../../client/message.js';
import { ObjectId, OwnershipResource } from '../../schemas/common/common.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { type Resource, report, resolve } from '../shell/resource.js';
import { permissionsLine } from './ownership.js';
import { groups, users } from './people.js';

const Owned = OwnershipResource.extend({ id: ObjectId, name: z.string() });
type Owned = z.infer<typeof Owned>;

/**
 * `chmod`, `chown` and `chgrp`, the same for every kind of object. `called`: one of the examples. `goesAlong`: what has the
 * same owner and permissions afterwards.
 */
export function ownershipLeaves<L extends z.ZodType<{ id: number; name: string }>, S extends z.ZodType>(
  resource: Resource<L, S>,
  { called, goesAlong }: { called: string; goesAlong?: string },
): Leaf[] {
  const { noun, path } = resource;
  const along = goesAlong === undefined ? '' : `, with ${goesAlong},`;

  async function change(
    context: Context,
    deed: 'chmod' | 'chown',
    wish: string | undefined,
    body: (context: Context) => Promise<object>,
    told: (object: Owned) => string,
  ): Promise<void> {
    const id = await resolve(context.client(), resource, wish);
    const sent = json(await body(context));
    const { value, raw } = await context.client().send('POST', `${path}/${id}/${deed}`, Owned, sent);
    report(context, `${noun} ${id} (${value.name})${along} ${told(value)}.`, raw);
  }

  const belongs = ({ uname, gname }: Owned): string => `belongs to ${uname}, group ${gname}`;
  // What goes to somebody is not to go to another whose name begins alike.
  const whole = { whole: true };
  const gid = async ({ client }: Context, group: string | undefined) => resolve(client(), groups, group, whole);

  return [
    leaf({
      usage: `chmod <${noun}> <octal>`,
      summary: `Say who may use (4), manage (2) and administer (1) a ${noun}: owner, group, others`,
      examples: [`arcus ${noun} chmod ${called} 640`],
      schema: z.object({}),
      run: (context, [wish, octet]) =>
        change(
          context,
          'chmod',
          wish,
          async () => ({ octet }),
          (object) => `permits ${permissionsLine(object)}`,
        ),
    }),
    leaf({
      usage: `chown <${noun}> <user> [group]`,
      summary: `Give a ${noun} to another user, and perhaps another group`,
      examples: [`arcus ${noun} chown ${called} alice`, `arcus ${noun} chown ${called} alice web-team`],
      schema: z.object({}),
      run: (context, [wish, user, group]) =>
        change(
          context,
          'chown',
          wish,
          async () => ({
            uid: await resolve(context.client(), users, user, whole),
            ...(group !== undefined && { gid: await gid(context, group) }),
          }),
          belongs,
        ),
    }),
    leaf({
      usage: `chgrp <${noun}> <group>`,
      summary: `Give a ${noun} to another group`,
      examples: [`arcus ${noun} chgrp ${called} web-team`],
      schema: z.object({}),
      run: (context, [wish, group]) =>
        change(context, 'chown', wish, async () => ({ gid: await gid(context, group) }), belongs),
    }),
  ];
}
