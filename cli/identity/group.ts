import { z } from 'zod';
import { json } from '../../client/message.js';
import { CreateGroup, creatable, GroupResource } from '../../schemas/identity/group.js';
import type { DocumentKind } from '../apply/document-kind.js';
import { changesIn } from '../shell/changes.js';
import { type Leaf, leaf } from '../shell/command.js';
import { nounOf } from '../shell/noun-of.js';
import { removeLeaf } from '../shell/remove-leaf.js';
import { listAndShow, report, resolve } from '../shell/resource.js';
import { groups, users } from './people.js';

const whole = { whole: true };

/** `VM+TEMPLATE`, as OpenNebula writes it, or with commas; none: nothing. */
const Kinds = z
  .string()
  .transform((text) => (text.toLowerCase() === 'none' ? [] : text.toUpperCase().split(/[+,]/)))
  .optional();
const Settings = z.object({ resources: Kinds, adminResources: Kinds, sharedView: z.boolean().optional() });
const kinds = `${creatable.join('+')}; none`;
const settings = [
  ['--resources <kinds>', `what members may create, such as VM+TEMPLATE, of ${kinds}`],
  ['--admin-resources <kinds>', 'the same for admins of the group'],
  ['--shared-view', 'members see the VMs and services of each other'],
] as const;

function requestOf({ resources, adminResources, sharedView }: z.output<typeof Settings>): object {
  const create = { users: resources, admins: adminResources };
  const given = resources !== undefined || adminResources !== undefined;
  return { ...(given && { create }), ...(sharedView !== undefined && { shared_view: sharedView }) };
}

const adminLeaf = (verb: 'add-admin' | 'remove-admin', alias: string, summary: string, told: string): Leaf =>
  leaf({
    usage: `${verb} <group> <user>`,
    aliases: [alias],
    summary,
    examples: [`arcus group ${verb} web-team alice`],
    schema: z.object({}),
    run: async (context, [wish, user]) => {
      const client = context.client();
      const id = await resolve(client, groups, wish, whole);
      const uid = await resolve(client, users, user, whole);
      const method = verb === 'add-admin' ? 'PUT' : 'DELETE';
      const { value, raw } = await client.send(method, `/groups/${id}/admins/${uid}`, GroupResource);
      report(context, `user ${uid} ${told} group ${id} (${value.name}).`, raw);
    },
  });

export const groupCommands: readonly Leaf[] = [
  ...listAndShow(groups),
  leaf({
    usage: 'create <name>',
    summary: 'Add a group, and say what its members may create',
    examples: ['arcus group create web-team', 'arcus group create web-team --resources VM+DOCUMENT --shared-view'],
    options: settings,
    schema: Settings,
    run: async (context, [name], options) => {
      const body = json({ name, ...requestOf(options) });
      const { value, raw } = await context.client().send('POST', '/groups', GroupResource, body);
      report(context, `group ${value.id} (${value.name}) created.`, raw);
    },
  }),
  leaf({
    usage: 'update <group>',
    summary: 'Rename a group, or change what its members may create and see',
    examples: ['arcus group update web-team --resources none', 'arcus group update 100 --no-shared-view'],
    options: [['--name <name>', 'another name'], ...settings, ['--no-shared-view', 'they do not']],
    schema: Settings.extend({ name: z.string().optional() }),
    run: async (context, [wish], { name, ...options }) => {
      const id = await resolve(context.client(), groups, wish);
      const changes = changesIn({ name, ...requestOf(options) }, '--name, --resources or --shared-view');
      const body = json(changes);
      const { value, raw } = await context.client().send('PATCH', `/groups/${id}`, GroupResource, body);
      report(context, `group ${id} (${value.name}) updated.`, raw);
    },
  }),
  adminLeaf('add-admin', 'addadmin', 'Let a member manage a group and its users', 'manages'),
  adminLeaf('remove-admin', 'deladmin', 'Make an admin of a group a plain member', 'no longer manages'),
  removeLeaf(groups, { called: 'web-team', summary: 'Remove a group without members and objects' }),
];

/** A group in a document of `apply`. */
export const groupDocuments: DocumentKind = {
  ...nounOf('group'),
  wish: CreateGroup,
  answer: GroupResource,
  asDocument: (object) => GroupResource.parse(object),
  update: 'PATCH',
  merges: ['create'],
};
