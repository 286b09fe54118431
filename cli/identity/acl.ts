import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { json } from '../../client/message.js';
import { AclResource } from '../../schemas/identity/acl.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { nounOf } from '../shell/noun-of.js';
import { pairs } from '../shell/output.js';
import { removeLeaf } from '../shell/remove-leaf.js';
import { isId, listAndShow, type Resource, report, resolve } from '../shell/resource.js';
import { groups, users } from './people.js';

/** The rule stands where other objects have their names. */
const Rule = AclResource.transform((acl) => ({ ...acl, name: acl.rule }));

const acls: Resource<typeof Rule, typeof Rule> = {
  ...nounOf('acl'),
  item: Rule,
  whole: Rule,
  nameless: true,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'RULE', text: ({ rule }) => rule },
    { title: 'CREATED', text: ({ created_at }) => created_at, wide: true },
  ],
  text: ({ id, rule, created_at }) =>
    pairs([
      ['ID', String(id)],
      ['RULE', rule],
      ['CREATED', created_at],
    ]),
};

const whole = { whole: true };

/** Whom a rule may name in the place of an id, by the sign before it. */
const whoBySign = {
  '#': (client: Client, name: string) => resolve(client, users, name, whole),
  '@': (client: Client, name: string) => resolve(client, groups, name, whole),
};
type Find = (client: Client, name: string) => Promise<number>;

/** What begins like an id may be a name all the same; what has a star is none. */
const isNamed = (text: string): boolean => !isId(text) && !text.startsWith('*');

/** The rule as the API reads it: with ids in the place of names. What is no name stays, for the API to judge. */
async function withIds({ client }: Context, findCluster: Find, text: string): Promise<string> {
  const [who = '', what = '', ...rest] = text.trim().split(/\s+/);
  const [, sign, name = ''] = /^([#@])(.+)$/.exec(who) ?? [];
  const [, kinds = '', mark, place = ''] = /^([^/]*\/)([@%])(.+)$/.exec(what) ?? [];
  const whatBySign = { '@': whoBySign['@'], '%': findCluster };
  const whom =
    (sign === '#' || sign === '@') && isNamed(name) ? `${sign}${await whoBySign[sign](client(), name)}` : who;
  const where =
    (mark === '@' || mark === '%') && isNamed(place)
      ? `${kinds}${mark}${await whatBySign[mark](client(), place)}`
      : what;
  return [whom, where, ...rest].join(' ');
}

/** `findCluster`: clusters are known to commands that come after these. */
export const aclCommands = (findCluster: Find): readonly Leaf[] => [
  ...listAndShow(acls),
  leaf({
    usage: 'create <rule...>',
    summary: "Make a rule in OpenNebula's text; users, groups and clusters may be named instead of numbered",
    examples: [
      'arcus acl create "@100 VM+DOCUMENT/@100 USE"',
      'arcus acl create "@web-team HOST/%production USE"',
      'arcus acl create "#alice VM/#12 USE+MANAGE"',
    ],
    schema: z.object({}),
    run: async (context, words) => {
      const body = json({ rule: await withIds(context, findCluster, words.join(' ')) });
      const { value, raw } = await context.client().send('POST', '/acls', AclResource, body);
      report(context, `acl ${value.id} created: ${value.rule}`, raw);
    },
  }),
  removeLeaf(acls, { called: '3', summary: 'Remove a rule' }),
];
