import { z } from 'zod';
import { json } from '../../client/message.js';
import { CreateSecurityGroup, SecurityGroupResource } from '../../schemas/networks/security-group.js';
import type { DocumentKind } from '../apply/document-kind.js';
import { permissionsText } from '../identity/ownership.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { changesIn } from '../shell/changes.js';
import { type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { inFile, readInput } from '../shell/files/input.js';
import { nounOf } from '../shell/noun-of.js';
import { pairs, tableOf } from '../shell/output.js';
import { removeLeaf } from '../shell/remove-leaf.js';
import { listAndShow, type Resource, report, resolve } from '../shell/resource.js';
import { detailText, peerText, ruleBody } from './rule-word.js';

const ids = (some: readonly number[]): string => some.join(', ') || '-';

export const securityGroups: Resource<typeof SecurityGroupResource, typeof SecurityGroupResource> = {
  ...nounOf('security_group'),
  item: SecurityGroupResource,
  whole: SecurityGroupResource,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'USER', text: ({ uname }) => uname },
    { title: 'GROUP', text: ({ gname }) => gname },
    { title: 'NAME', text: ({ name }) => name, cut: true },
    { title: 'RULES', text: ({ rules }) => String(rules.length), right: true },
  ],
  text: (group) =>
    [
      `SECURITY GROUP ${group.id} INFORMATION`,
      pairs([
        ['ID', String(group.id)],
        ['NAME', group.name],
        ['USER', group.uname],
        ['GROUP', group.gname],
        ['VMS', ids(group.vms)],
        ['NETWORKS', ids(group.networks)],
        ['CREATED', group.created_at],
      ]),
      '',
      permissionsText(group),
      '',
      'RULES',
      tableOf(
        [
          { title: 'TYPE', text: ({ rule_type }) => rule_type },
          { title: 'PROTOCOL', text: ({ protocol }) => protocol },
          { title: 'PORTS', text: detailText },
          { title: 'PEERS', text: peerText },
        ],
        group.rules,
      ),
    ].join('\n'),
};

const ruleOptions = {
  shape: { inbound: z.array(z.string()).optional(), outbound: z.array(z.string()).optional() },
  options: [
    [
      '--inbound <rule...>',
      'what may reach guests, such as all, tcp:22,80:90, icmp:8, udp:53@10.0.0.1+50, all@network:3',
    ],
    ['--outbound <rule...>', 'what guests may send'],
  ],
} as const;

/** Both kinds at once: rules are replaced as a whole. */
function rulesBody({ inbound = [], outbound = [] }: z.output<z.ZodObject<typeof ruleOptions.shape>>): object {
  if (inbound.length + outbound.length === 0) return {};
  return {
    rules: [...inbound.map((word) => ruleBody('inbound', word)), ...outbound.map((word) => ruleBody('outbound', word))],
  };
}

export const securityGroupCommands: readonly Leaf[] = [
  ...listAndShow(securityGroups),
  leaf({
    usage: 'create [name]',
    summary: 'Add a security group, from options or from a file',
    examples: [
      'arcus security-group create web --inbound tcp:80,443 --inbound icmp:8 --outbound all',
      'arcus security-group create -f web.yaml',
    ],
    options: [...ruleOptions.options, ['-f, --file <file>', 'JSON or YAML instead; - for standard input']],
    schema: z.object({ ...ruleOptions.shape, file: z.string().optional() }),
    run: async (context, [name], { file, ...rules }) => {
      if (file === undefined && name === undefined)
        throw new Complaint('usage', 'Give the name of the security group, or -f.', {
          next: 'Add --help to see how it is used.',
        });
      const document = file === undefined ? undefined : readInput(file);
      const body = json(document ? document.content : { name, ...rulesBody(rules) });
      const sent = context.client().send('POST', securityGroups.path, SecurityGroupResource, body);
      const { value, raw } = await (document ? sent.catch(inFile(document)) : sent);
      report(context, `security group ${value.id} (${value.name}) created.`, raw);
    },
  }),
  leaf({
    usage: 'update <security-group>',
    summary: 'Rename a security group, or give it other rules, all of them',
    examples: ['arcus security-group update web --inbound tcp:443 --outbound all'],
    options: [['--name <name>', 'another name'], ...ruleOptions.options],
    schema: z.object({ name: z.string().optional(), ...ruleOptions.shape }),
    run: async (context, [wish], { name, ...rules }) => {
      const id = await resolve(context.client(), securityGroups, wish);
      const body = json(changesIn({ name, ...rulesBody(rules) }, '--name, --inbound or --outbound'));
      const path = `${securityGroups.path}/${id}`;
      const { value, raw } = await context.client().send('PATCH', path, SecurityGroupResource, body);
      report(context, `security group ${id} (${value.name}) updated.`, raw);
    },
  }),
  ...ownershipLeaves(securityGroups, { called: 'web' }),
  removeLeaf(securityGroups, { called: 'web', summary: 'Remove a security group that nobody has' }),
];

/** A security group in a document of `apply`. */
export const securityGroupDocuments: DocumentKind = {
  ...nounOf('security_group'),
  wish: CreateSecurityGroup,
  answer: SecurityGroupResource,
  asDocument: (object) => SecurityGroupResource.parse(object),
  update: 'PATCH',
};
