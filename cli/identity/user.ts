import { z } from 'zod';
import { json } from '../../client/message.js';
import { UserResource } from '../../schemas/identity/user.js';
import { AttributeOption, attributesOf } from '../shell/attribute.js';
import { changesIn } from '../shell/changes.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { removeLeaf } from '../shell/remove-leaf.js';
import { listAndShow, report, resolve, resolveToEnd } from '../shell/resource.js';
import { groups, users } from './people.js';
import { passwordLeaf } from './set-password.js';

const whole = { whole: true };
const umaskOption = ['--umask <octal>', 'permissions that new objects of the user do not have, such as 137'] as const;
const groupOption = (what: string) => ['--group <group>', what] as const;
const attributeOption = [
  '--attribute <name=value...>',
  'attributes that VM templates refer to, such as SSH_PUBLIC_KEY; NAME= takes one away',
] as const;
const Settings = z.object({
  group: z.string().optional(),
  umask: z.string().optional(),
  attribute: AttributeOption,
});

/** Attributes of an option as the request has them. */
const attributes = (given: readonly string[] | undefined): object | undefined =>
  given && attributesOf(given, 'arcus user update alice --attribute CITY=Vigo');

/** The group of an option as the request has it. */
const primary = async ({ client }: Context, group: string | undefined): Promise<object> =>
  group === undefined ? {} : { gid: await resolve(client(), groups, group, whole) };

async function change(
  context: Context,
  { id, tag }: { id: number; tag?: string | undefined },
  body: object,
  told: string,
): Promise<void> {
  const unchanged = { unchanged: tag };
  const { value, raw } = await context.client().send('PATCH', `/users/${id}`, UserResource, json(body), unchanged);
  report(context, `user ${id} (${value.name}) ${told}.`, raw);
}

const membershipLeaf = (
  verb: 'add-group' | 'remove-group',
  alias: string,
  summary: string,
  told: (group: string) => string,
): Leaf =>
  leaf({
    usage: `${verb} <user> <group>`,
    aliases: [alias],
    summary,
    examples: [`arcus user ${verb} alice web-team`],
    schema: z.object({}),
    run: async (context, [wish, group]) => {
      const client = context.client();
      const id = await resolve(client, users, wish, whole);
      const gid = await resolve(client, groups, group, whole);
      const method = verb === 'add-group' ? 'PUT' : 'DELETE';
      const { value, raw } = await client.send(method, `/users/${id}/groups/${gid}`, UserResource);
      report(context, `user ${id} (${value.name}) ${told(`group ${gid}`)}.`, raw);
    },
  });

export const userCommands: readonly Leaf[] = [
  ...listAndShow(users),
  leaf({
    usage: 'create <name>',
    summary: 'Add a user; the password is asked for, or the first line of standard input',
    examples: ['arcus user create alice --group web-team', 'arcus user create ci --group web-team < password.txt'],
    options: [
      groupOption('primary group (default: users, or yours if you manage one)'),
      umaskOption,
      attributeOption,
      ['--disabled', 'the user exists and cannot sign in yet'],
    ],
    schema: Settings.extend({ disabled: z.boolean().optional() }),
    run: async (context, [name], { group, umask, attribute, disabled }) => {
      const gid = await primary(context, group);
      const password = await context.newSecret(`Password of ${name}`);
      const body = json({
        name,
        password,
        ...gid,
        umask,
        attributes: attributes(attribute),
        ...(disabled && { enabled: false }),
      });
      const { value, raw } = await context.client().send('POST', '/users', UserResource, body);
      report(context, `user ${value.id} (${value.name}) created, in group ${value.gid} (${value.gname}).`, raw);
    },
  }),
  leaf({
    usage: 'update <user>',
    summary: 'Rename a user, set the primary group, the umask or attributes',
    examples: [
      ...['arcus user update alice --umask 137', 'arcus user update alice --group web-team'],
      'arcus user update alice --attribute SSH_PUBLIC_KEY="$(cat ~/.ssh/id_ed25519.pub)"',
    ],
    options: [
      ['--name <name>', 'another name'],
      groupOption('primary group; the user stays a member of the one before'),
      umaskOption,
      attributeOption,
    ],
    schema: Settings.extend({ name: z.string().optional() }),
    run: async (context, [wish], { name, group, umask, attribute }) => {
      const id = await resolve(context.client(), users, wish);
      const changes = { name, umask, attributes: attributes(attribute), ...(await primary(context, group)) };
      await change(context, { id }, changesIn(changes, '--name, --group, --umask or --attribute'), 'updated');
    },
  }),
  passwordLeaf,
  leaf({
    usage: 'enable <user>',
    summary: 'Let a user sign in again',
    examples: ['arcus user enable alice'],
    schema: z.object({}),
    run: async (context, [wish]) =>
      change(context, { id: await resolve(context.client(), users, wish, whole) }, { enabled: true }, 'is enabled'),
  }),
  leaf({
    usage: 'disable <user>',
    summary: 'Refuse a user from now on, and revoke all tokens',
    examples: ['arcus user disable alice'],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const user = await resolveToEnd(context, users, wish, (user) => `Disable ${user} and revoke all tokens?`);
      await change(context, user, { enabled: false }, 'is disabled, without tokens');
    },
  }),
  membershipLeaf('add-group', 'addgroup', 'Make a user a member of one more group', (group) => `is in ${group}`),
  membershipLeaf(
    'remove-group',
    'delgroup',
    'Take a user out of a group that is not the primary one',
    (group) => `is no longer in ${group}`,
  ),
  removeLeaf(users, { called: 'alice', summary: 'Remove a user who owns nothing any more' }),
];
