import { z } from 'zod';
import type { Answer } from '../api-client.js';
import { json } from '../api-client.js';
import { readDocuments } from '../apply/documents.js';
import { type Kind, kinds } from '../apply/kinds.js';
import { changeOf, namesIn, type Wish, wishesOf, withReferences } from '../apply/plan.js';
import { type Context, type Leaf, leaf } from '../command.js';
import { Complaint } from '../complaint.js';
import { rawText } from '../output.js';
import { quoted } from '../resource.js';

type Outcome = { kind: string; id: number | null; name: string; outcome: 'created' | 'updated' | 'unchanged' };

const Named = z.object({ id: z.int(), name: z.string() });
const Anything = z.unknown();

/** Stands for the id of what a dry run would have made: it differs from every id that is there. */
const idToBe = Number.MAX_SAFE_INTEGER;

export const applyCommand: Leaf = leaf({
  usage: 'apply',
  summary: 'Make what files describe: create what is missing, update what differs, leave the rest',
  examples: [
    'arcus apply -f shop.yaml',
    'arcus apply -f deployment/ --dry-run',
    `printf 'kind: host\\nname: host-4\\ncpu: 16\\nmemory: 65536\\n' | arcus apply -f -`,
  ],
  options: [
    [
      '-f, --file <file>',
      `YAML or JSON, many documents of kind ${Object.keys(kinds).join(', ')}; a directory; - for standard input`,
    ],
    ['--dry-run', 'only say what would be done'],
  ],
  schema: z.object({
    file: z.string({ error: 'is needed: a file, a directory, or - for standard input' }),
    dryRun: z.boolean().default(false),
  }),
  run: async (context, _args, { file, dryRun }) => {
    const wishes = wishesOf(readDocuments(file));
    const done: Outcome[] = [];
    for (const wish of wishes) {
      const outcome = await applied(context, wish, { dryRun, done }).catch((error: unknown) => {
        throw error instanceof Complaint ? placed(error, wish, done.length, wishes.length) : error;
      });
      done.push(outcome);
      if (context.format === 'table') context.out(sentenceOf(wish, outcome, dryRun));
    }
    if (context.format !== 'table') context.out(rawText(context.format, done));
  },
});

function sentenceOf({ by }: Wish, { id, name, outcome }: Outcome, dryRun: boolean): string {
  const what = `${by.noun} ${id === null ? name : `${id} (${name})`}`;
  if (outcome === 'unchanged') return `${what} unchanged.`;
  return dryRun ? `${what} would be ${outcome}.` : `${what} ${outcome}.`;
}

async function applied(
  context: Context,
  wish: Wish,
  { dryRun, done }: { dryRun: boolean; done: readonly Outcome[] },
): Promise<Outcome> {
  const { kind, by, name } = wish;
  const client = context.client();
  const ids = new Map<string, number>();
  for (const reference of namesIn(wish)) {
    const made = done.find((outcome) => outcome.kind === reference.kind && outcome.name === reference.name);
    ids.set(`${reference.kind} ${reference.name}`, made ? (made.id ?? idToBe) : await referenced(context, reference));
  }
  const wished = withReferences(wish.by, wish.attributes, (kind, name) => ids.get(`${kind} ${name}`) ?? idToBe);
  const present = await presentOf(context, by, name);
  if (present === null) {
    if (dryRun) return { kind, id: null, name, outcome: 'created' };
    const { value } = await client.send('POST', by.path, by.answer, json(wished));
    return { kind, id: value.id, name, outcome: 'created' };
  }
  const { id } = present.value;
  const change = changeOf(by, wished, present.raw);
  if (change === null) return { kind, id, name, outcome: 'unchanged' };
  if (!dryRun) await client.send(by.update, `${by.path}/${id}`, by.answer, json(change));
  return { kind, id, name, outcome: 'updated' };
}

/** The object of this name, whole; null where there is none. */
async function presentOf(
  context: Context,
  { noun, path }: Kind,
  name: string,
): Promise<Answer<z.output<typeof Named>> | null> {
  const found = await context.client().list(path, Named, { query: { filter: `name=${quoted(name)}` } });
  const [only, ...others] = found.filter(({ value }) => value.name === name);
  if (others.length > 0)
    throw new Complaint(
      'conflict',
      `More than one ${noun} is called ${JSON.stringify(name)}: which is meant is not clear.`,
      {
        next: 'Rename or remove the others.',
      },
    );
  if (only === undefined) return null;
  const { raw } = await context.client().get(`${path}/${only.value.id}`, Anything);
  return { raw, value: only.value };
}

async function referenced(
  context: Context,
  { pointer, kind, name }: { pointer: string; kind: string; name: string },
): Promise<number> {
  const by = kinds[kind];
  const found = by ? await presentOf(context, by, name) : null;
  if (found) return found.value.id;
  const detail = `There is no ${by?.noun ?? kind} called ${JSON.stringify(name)}.`;
  throw new Complaint('not_found', detail, {
    findings: [{ pointer, detail }],
    next: `Make it first, in the same files say: a document of kind ${kind}.`,
  });
}

/** What the server, or a look at it, had to say about one document: with its place, and what has become of the others. */
function placed(
  { exit, message, findings, next, cause }: Complaint,
  wish: Wish,
  before: number,
  all: number,
): Complaint {
  const rest =
    before === 0 ? 'Nothing has been changed.' : `What is told above is done; ${all - before} of ${all} are left.`;
  return new Complaint(exit, `${wish.place(findings[0]?.pointer ?? '')}: ${wish.by.noun} ${wish.name}: ${message}`, {
    findings:
      findings.length > 1
        ? findings.map(({ pointer, detail }) => ({ pointer: wish.place(pointer), detail: `${pointer} ${detail}` }))
        : [],
    next: `${next}\n${rest} Apply it again when that is mended.`,
    cause,
  });
}
