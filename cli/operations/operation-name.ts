import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { kinds, type OperatedKind, type OwnedKind } from '../../schemas/kinds.js';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';

/** Kinds of things by which an operation can be named. */
type Named = OperatedKind & OwnedKind;

/** The ways to name an operation: by its id, or as the one at work on a service, a VM, a host, an image or an app. */
export const operationOptions = [
  ['--service <service>', 'the one at work on this service, else its last'],
  ['--vm <vm>', 'the one at work on this VM, else its last'],
  ['--host <host>', 'the one at work on this host, else its last'],
  ['--image <image>', 'the one at work on this image, else its last'],
  ['--app <app>', 'the one at work on this app, else its last'],
] as const;
export const OperationOptions = z.object({
  service: z.string().optional(),
  vm: z.string().optional(),
  host: z.string().optional(),
  image: z.string().optional(),
  app: z.string().optional(),
} satisfies Record<Named, z.ZodOptional<z.ZodString>>);

/** The id of a thing that operations are about, by its id or name. */
type Find = (client: Client, wish: string | undefined) => Promise<number>;
export type Finding = Readonly<Record<Named, Find>>;

const list = 'List them with: arcus operation list';

/** The id of the operation that the user named, one way and not two. */
export const namingOperation =
  (find: Finding) =>
  async (
    context: Pick<Context, 'client'>,
    wish: string | undefined,
    { service, vm, host, image, app }: z.output<typeof OperationOptions>,
  ): Promise<string> => {
    const given = [wish, service, vm, host, image, app].filter((name) => name !== undefined);
    if (given.length !== 1)
      throw new Complaint(
        'usage',
        given.length === 0 ? 'Which operation?' : 'Name the operation one way, not several.',
        {
          next: `Give the beginning of its id, or --service, --vm, --host, --image or --app for the one at work there. ${list}`,
        },
      );
    if (wish !== undefined) return beginningWith(context, wish);
    const client = context.client();
    if (service !== undefined) return lastOn(client, 'service', await find.service(client, service));
    if (app !== undefined) return lastOn(client, 'app', await find.app(client, app));
    if (image !== undefined) return lastOn(client, 'image', await find.image(client, image));
    return host === undefined
      ? lastOn(client, 'vm', await find.vm(client, vm))
      : lastOn(client, 'host', await find.host(client, host));
  };

const AtWork = z.object({ operation: z.string().nullable() });

async function lastOn(client: Client, type: Named, id: number): Promise<string> {
  const at = `${kinds[type].path}/${id}`;
  const { value } = await client.get(at, AtWork);
  if (value.operation !== null) return value.operation;
  const [last] = await client.list(`${at}/operations`, OperationResource, { most: 1 });
  if (last) return last.value.id;
  throw new Complaint('not_found', `There has been no operation on ${type} ${id}.`, { next: list });
}

/** People give the beginning of an id, in either case: nobody types 26 characters. */
async function beginningWith(context: Pick<Context, 'client'>, wish: string): Promise<string> {
  const beginning = wish.toUpperCase();
  if (!/^[0-9A-HJKMNP-TV-Z]{4,26}$/.test(beginning))
    throw new Complaint('usage', `${JSON.stringify(wish)} is not the id of an operation.`, {
      next: `Give it whole or its beginning, 4 characters at least. ${list}`,
    });
  if (beginning.length === 26) return beginning;
  const query = { id_prefix: beginning };
  const found = await context.client().list('/operations', OperationResource, { query, most: 11 });
  const [only] = found;
  if (only === undefined)
    throw new Complaint('not_found', `There is no operation whose id begins with ${beginning}.`, { next: list });
  if (found.length === 1) return only.value.id;
  throw new Complaint('usage', `More than one operation begins with ${beginning}.`, {
    findings: found.slice(0, 10).map(({ value: { id, type, resource, state } }) => ({
      pointer: '',
      detail: `${id}  ${type} of ${resource.type} ${resource.id} (${resource.name}), ${state}`,
    })),
    next: found.length > 10 ? `There are more. Give more characters of it.` : 'Give more characters of it.',
  });
}
