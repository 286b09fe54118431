import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { printableLines } from '../../schemas/common/printable.js';
import type { Environment } from '../shell/environment.js';
import { jsonDocument } from '../shell/files/json-document.js';
import { createFlowClient, type FlowClient, FlowFault } from './flow-client.js';
import { Document, serviceList, serviceText, templateList, templateText } from './flow-text.js';

// `oneflow` and `oneflow-template` as OpenNebula 5.0 has them: the guide's verbs, output and exit codes; and later verbs.

export type FlowSurroundings = {
  environment: Environment;
  out: (text: string) => void;
  err: (text: string) => void;
  now: () => Date;
  /** Empties the terminal that `out` writes to; absent: it is none. */
  clear?: () => void;
};
type Kind = 'service' | 'service_template';

const One = z.object({ DOCUMENT: Document });
const Pool = z.object({ DOCUMENT_POOL: z.object({ DOCUMENT: z.array(Document).default([]) }) });
const Options = z.looseObject({
  server: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  json: z.boolean().optional(),
});
const Given = z.looseObject({
  force: z.boolean().optional(),
  delete: z.boolean().optional(),
  period: z.coerce.number().int().optional(),
  args: z.string().optional(),
  number: z.coerce.number().int().optional(),
  recursive: z.boolean().optional(),
  recursiveTemplates: z.boolean().optional(),
  append: z.boolean().optional(),
  deleteImages: z.boolean().optional(),
  deleteVmTemplates: z.boolean().optional(),
  multiple: z.coerce.number().int().min(1).max(100).default(1),
  delay: z.coerce.number().min(1).default(3),
});
type Given = z.infer<typeof Given> & { json: boolean };

type Run = (client: FlowClient, args: readonly string[], given: Given) => Promise<void>;

const path = { service: '/service', service_template: '/service_template' } as const;
const action = (perform: string, params?: object) => ({ action: { perform, ...(params && { params }) } });

/** Runs a command line of one of the two; resolves to its exit code. */
export async function runFlow(
  name: 'oneflow' | 'oneflow-template',
  words: readonly string[],
  { environment, out: print, err: complain, now, clear }: FlowSurroundings,
): Promise<number> {
  const out = (text: string) => print(printableLines(text));
  const err = (text: string) => complain(printableLines(text));
  const kind: Kind = name === 'oneflow' ? 'service' : 'service_template';
  const program = new Command(name)
    .description(kind === 'service' ? 'Manages services, as OneFlow’s own command does.' : 'Manages service templates.')
    .option('-s, --server <url>', 'address (default: ONEFLOW_URL, else of this machine)')
    .option('-u, --username <name>', 'who asks (default: ONEFLOW_USER, else ONE_AUTH)')
    .option('-p, --password <password>', 'his password or a token (default: ONEFLOW_PASSWORD, else ONE_AUTH)')
    .configureOutput({ writeOut: (text) => out(text.trimEnd()), writeErr: (text) => err(text.trimEnd()) })
    .exitOverride();

  const add = (
    usage: string,
    summary: string,
    run: Run,
    options: readonly (readonly [string, string])[] = [],
  ): void => {
    const command = program.command(usage).description(summary);
    for (const [flags, description] of [...common, ...options]) command.option(flags, description);
    command.action(async () => {
      const own = { ...Options.parse(program.opts()), ...Options.parse(command.opts()) };
      await run(createFlowClient(environment, own), command.args, {
        ...Given.parse(command.opts()),
        json: own.json === true,
      });
    });
  };

  const toEach =
    (act: (client: FlowClient, id: number, args: readonly string[], given: Given) => Promise<unknown>): Run =>
    async (client, [wish = '', ...args], given) => {
      for (const id of await client.ids(kind, wish)) await act(client, id, args, given);
    };
  const perform = (client: FlowClient, id: number, name: string, params?: object) =>
    client.ask('POST', `${path[kind]}/${id}/action`, action(name, params));

  async function list(client: FlowClient, { json }: { json: boolean }): Promise<string> {
    const text = await client.ask('GET', path[kind]);
    if (json) return text;
    const all = Pool.parse(JSON.parse(text)).DOCUMENT_POOL.DOCUMENT;
    return kind === 'service' ? serviceList(all) : templateList(all);
  }
  async function show(client: FlowClient, id: number, { json }: { json: boolean }): Promise<string> {
    const text = await client.ask('GET', `${path[kind]}/${id}`);
    if (json) return text;
    const { DOCUMENT } = One.parse(JSON.parse(text));
    return kind === 'service' ? serviceText(DOCUMENT, now()) : templateText(DOCUMENT, bodyIn(text));
  }

  add('list', 'List them', async (client, _args, given) => out(await list(client, given)));
  add(
    'show <id>',
    'Show one',
    toEach(async (client, id, _args, given) => out(await show(client, id, given))),
  );
  add(
    'top [id]',
    'Show them again and again',
    async (client, [wish], given) => {
      const ids = wish === undefined ? [] : await client.ids(kind, wish);
      for (;;) {
        const [id] = ids;
        const seen = id === undefined ? await list(client, given) : await show(client, id, given);
        clear?.();
        out(clear ? seen : `\n${seen}`);
        await sleep(given.delay * 1_000);
      }
    },
    [['-d, --delay <seconds>', 'between two looks (default: 3)']],
  );
  add(
    'delete <ids>',
    kind === 'service' ? 'Cut the power of its VMs and remove it' : 'Remove it',
    toEach((client, id, _args, { deleteImages, deleteVmTemplates }) => {
      const along = deleteImages ? 'all' : deleteVmTemplates ? 'templates' : undefined;
      return client.ask('DELETE', `${path[kind]}/${id}`, along && { delete_type: along });
    }),
    kind === 'service'
      ? []
      : [
          ['--delete-vm-templates', 'and the VM templates of its roles'],
          ['--delete-images', 'and these with their images'],
        ],
  );
  add(
    'chgrp <ids> <group>',
    'Give it to a group',
    toEach(async (client, id, [group = '']) =>
      perform(client, id, 'chgrp', { group_id: await client.person('group', group) }),
    ),
  );
  add(
    'chown <ids> <user> [group]',
    'Give it to a user, and perhaps a group',
    toEach(async (client, id, [user = '', group]) =>
      perform(client, id, 'chown', {
        owner_id: await client.person('user', user),
        ...(group !== undefined && { group_id: await client.person('group', group) }),
      }),
    ),
  );
  add(
    'chmod <ids> <octet>',
    'Change its permissions',
    toEach((client, id, [octet]) => perform(client, id, 'chmod', { octet })),
  );
  add(
    'rename <id> <name>',
    'Give it another name',
    toEach((client, id, [called]) => perform(client, id, 'rename', { name: called })),
  );

  if (kind === 'service') {
    add(
      'shutdown <ids>',
      'End its VMs; it stays as DONE',
      toEach((client, id) => perform(client, id, 'shutdown')),
    );
    add(
      'recover <ids>',
      'Go on with what has failed',
      toEach((client, id, _args, given) => perform(client, id, 'recover', given.delete ? { delete: true } : undefined)),
      [['--delete', 'cut the power of its VMs and remove it']],
    );
    add(
      'scale <id> <role> <cardinality>',
      'Give a role another number of VMs',
      toEach((client, id, [role = '', cardinality = ''], { force = false }) => {
        if (!/^\d{1,9}$/.test(cardinality)) throw new FlowFault('Cardinality must be an integer number', 255);
        return client.ask('PUT', `/service/${id}/role/${encodeURIComponent(role)}`, {
          cardinality: Number(cardinality),
          force,
        });
      }),
      [['-f, --force', 'also below min_vms or above max_vms']],
    );
    add(
      'action <id> <role> <action>',
      'Do something to all VMs of a role',
      toEach((client, id, [role = '', name = ''], { period, number, args }) =>
        client.ask(
          'POST',
          `/service/${id}/role/${encodeURIComponent(role)}/action`,
          action(name, {
            ...(period !== undefined && { period }),
            ...(number !== undefined && { number }),
            ...(args !== undefined && { args }),
          }),
        ),
      ),
      [
        ['--period <seconds>', 'between two groups of VMs'],
        ['-n, --number <vms>', 'VMs in a group'],
        [
          '--args <text>',
          'of snapshot-create: its name; of snapshot-revert and snapshot-delete: its number; of those of disks: 0,name or 0,number',
        ],
      ],
    );
    add(
      'update <id> [file]',
      'Edit one by a file, or standard input',
      toEach((client, id, [file], { append }) => {
        const edited = jsonIn(file);
        return client.ask('PUT', `/service/${id}`, append ? { append, template: JSON.stringify(edited) } : edited);
      }),
      [['-a, --append', 'put the members of the file over those that there are']],
    );
    add(
      'release <ids>',
      'Deploy what is on hold',
      toEach((client, id) => perform(client, id, 'release')),
    );
    const roleAction = (client: FlowClient, id: number, name: string, role: object | string) =>
      client.ask('POST', `/service/${id}/role_action`, action(name, { role }));
    add(
      'add-role <id> [file]',
      'Add a role from a file, or from standard input',
      toEach((client, id, [file]) => roleAction(client, id, 'add_role', jsonIn(file))),
    );
    add(
      'remove-role <id> <role>',
      'End the VMs of a role, and remove it',
      toEach((client, id, [role = '']) => roleAction(client, id, 'remove_role', role)),
    );
    add('purge-done', 'Remove those that are DONE', async (client) => {
      await client.ask('POST', '/service_pool/purge_done');
    });
  } else {
    const told = (text: string) => out(`ID: ${One.parse(JSON.parse(text)).DOCUMENT.ID}`);
    add('create [file]', 'Add one from a file, or from standard input', async (client, [file]) =>
      told(await client.ask('POST', path[kind], jsonIn(file))),
    );
    add(
      'update <id> [file]',
      'Replace one by a file, or standard input',
      toEach((client, id, [file]) => client.ask('PUT', `${path[kind]}/${id}`, jsonIn(file))),
    );
    add(
      'instantiate <id> [file]',
      'Deploy a service; the file is merged over the template',
      toEach(async (client, id, [file], { multiple }) => {
        const params = file === undefined ? {} : { merge_template: jsonIn(file) };
        for (let nth = 0; nth < multiple; nth++) told(await perform(client, id, 'instantiate', params));
      }),
      [['-m, --multiple <n>', 'so many services']],
    );
    add(
      'clone <id> <name>',
      'Make another one of it',
      toEach(async (client, id, [called], { recursive, recursiveTemplates }) => {
        const along = recursive ? 'all' : recursiveTemplates ? 'templates' : undefined;
        told(await perform(client, id, 'clone', { name: called, ...(along && { recursive: along }) }));
      }),
      [
        ['--recursive', 'clone the VM templates of its roles, too, and their images'],
        ['--recursive-templates', 'clone the VM templates of its roles, too, and no images'],
      ],
    );
  }

  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 255;
    if (!(error instanceof FlowFault)) throw error;
    err(error.message);
    return error.code;
  }
}

/** Options are taken behind the verb as well as before it. */
const common = [
  ['-s, --server <url>', 'address'],
  ['-u, --username <name>', 'who asks'],
  ['-p, --password <password>', 'his password or a token'],
  ['-j, --json', 'print the answer as it came'],
] as const;

const bodyIn = (text: string): unknown =>
  z.object({ DOCUMENT: z.object({ TEMPLATE: z.object({ BODY: z.unknown() }) }) }).parse(JSON.parse(text)).DOCUMENT
    .TEMPLATE.BODY;

/** As OneFlow's commands take it, and with comments, as the guide's examples have them. */
function jsonIn(file: string | undefined): object {
  const name = file ?? 'Standard input';
  const text = textIn(file, name);
  const read = jsonDocument(text);
  const [fault] = read.ok ? [] : read.faults;
  if (fault) {
    const line = text.slice(0, fault.offset).split('\n').length;
    throw new FlowFault(`${name} is no template in JSON: ${fault.detail}, line ${line}`, 255);
  }
  const found = z.looseObject({}).safeParse(read.ok ? read.documents[0]?.content : undefined);
  if (!found.success) throw new FlowFault(`${name} is no template in JSON: it is no object`, 255);
  return found.data;
}

function textIn(file: string | undefined, name: string): string {
  try {
    return readFileSync(file ?? 0, 'utf8');
  } catch (error) {
    throw new FlowFault(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`, 255);
  }
}
