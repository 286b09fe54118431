import { z } from 'zod';
import { json } from '../../client/message.js';
import { SecurityGroupResource } from '../../schemas/networks/security-group.js';
import { securityGroups } from '../networks/security-group.js';
import { resolve } from '../shell/resource.js';
import { renameVerb } from './edit-verbs.js';
import { listVerb, type One, ownershipVerbs, showVerb, toEach, type Verb } from './one-program.js';
import { securityGroupList, securityGroupText } from './security-group-text.js';
import { attributesIn } from './template-file.js';

const Text = z.union([z.string(), z.number()]).transform(String).optional();
const Rule = z.looseObject({
  ...{ PROTOCOL: Text, RULE_TYPE: Text, RANGE: Text, IP: Text, SIZE: Text, NETWORK_ID: Text, ICMP_TYPE: Text },
});
const GroupText = z.looseObject({
  NAME: Text,
  RULE: z.union([z.array(Rule), Rule.transform((rule) => [rule])]).optional(),
});

const number = (name: string, text: string | undefined): object => (text === undefined ? {} : { [name]: Number(text) });

/** A rule of template text in the words of the API, which judges it. */
const ruleBody = ({ PROTOCOL, RULE_TYPE, RANGE, IP, SIZE, NETWORK_ID, ICMP_TYPE }: z.output<typeof Rule>): object => ({
  ...{ protocol: PROTOCOL?.toUpperCase(), rule_type: RULE_TYPE?.toLowerCase(), range: RANGE, ip: IP },
  ...{ ...number('size', SIZE), ...number('network_id', NETWORK_ID), ...number('icmp_type', ICMP_TYPE) },
});

const rulesBody = ({ RULE }: z.output<typeof GroupText>): object =>
  RULE === undefined ? {} : { rules: RULE.map(ruleBody) };

const set = ({ client }: One, id: number, change: object) =>
  client.send('PATCH', `${securityGroups.path}/${id}`, SecurityGroupResource, json(change));
const create = ({ client }: One, body: object) =>
  client.send('POST', securityGroups.path, SecurityGroupResource, json(body));

export const securityGroupVerbs: readonly Verb[] = [
  listVerb(securityGroups, (all) => securityGroupList(all)),
  showVerb(securityGroups, (group) => securityGroupText(group)),
  {
    usage: 'create <file>',
    summary: 'Add one of template text: NAME, RULE = [ PROTOCOL, RULE_TYPE, RANGE, IP, SIZE, NETWORK_ID, ICMP_TYPE ]',
    run: async (one, [file = '-']) => {
      const text = GroupText.parse(attributesIn(file));
      one.out(`ID: ${(await create(one, { name: text.NAME, ...rulesBody(text) })).value.id}`);
    },
  },
  {
    usage: 'clone <group> <name>',
    summary: 'Make another one with the same rules',
    run: async (one, [wish, name]) => {
      const id = await resolve(one.client, securityGroups, wish, { whole: true });
      const { value } = await one.client.get(`${securityGroups.path}/${id}`, SecurityGroupResource);
      one.out(`ID: ${(await create(one, { name, rules: value.rules })).value.id}`);
    },
  },
  {
    usage: 'update <id> <file>',
    summary: 'Give it the rules of template text, in place of all that it has',
    run: toEach(securityGroups, (one, id, [file = '-']) =>
      set(one, id, rulesBody(GroupText.parse(attributesIn(file)))),
    ),
  },
  renameVerb(securityGroups),
  {
    usage: 'delete <ids>',
    summary: 'Remove it',
    run: toEach(securityGroups, ({ client }, id) =>
      client.send('DELETE', `${securityGroups.path}/${id}`, z.undefined()),
    ),
  },
  ...ownershipVerbs(securityGroups),
];
