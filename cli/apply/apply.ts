import { z } from 'zod';
import { json } from '../../client/message.js';
import { kinds } from '../kinds.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { readDocuments } from '../shell/files/documents.js';
import { rawText } from '../shell/output.js';
import { changeOf, keyOf, type Wish, wishesOf, withReferences } from './plan.js';
import { presentOf } from './present.js';
import { type References, referencesOf } from './references.js';
import { update } from './update.js';

type Outcome = { kind: string; id: number | null; name: string; outcome: 'created' | 'updated' | 'unchanged' };

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
    const known = await referencesOf(context, wishes);
    const done: Outcome[] = [];
    for (const wish of wishes) {
      const outcome = await applied(context, wish, { dryRun, done, known }).catch((error: unknown) => {
        throw error instanceof Complaint
          ? placed(error, wish, { done: dryRun ? 0 : done.length, all: wishes.length })
          : error;
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
  if (dryRun) return `${what} would be ${outcome}.`;
  return `${what} ${outcome === 'created' ? (by.made ?? outcome) : outcome}.`;
}

async function applied(
  context: Context,
  { kind, by, name, attributes }: Wish,
  { dryRun, done, known }: { dryRun: boolean; done: readonly Outcome[]; known: References },
): Promise<Outcome> {
  const client = context.client();
  const idOf = (kind: string, name: string): number =>
    known(kind, name) ?? done.find((made) => keyOf(made.kind, made.name) === keyOf(kind, name))?.id ?? idToBe;
  const wished = withReferences(by, attributes, idOf);
  const present = await presentOf(context, by, name);
  if (present === null) {
    if (dryRun) return { kind, id: null, name, outcome: by.among === undefined ? 'created' : 'updated' };
    if (by.among !== undefined) throw gone(by.noun, name);
    const { value } = await client.send('POST', by.path, by.answer, json(wished));
    return { kind, id: value.id, name, outcome: 'created' };
  }
  const { id } = present.value;
  if (!dryRun) return { kind, id, name, outcome: await update(context, by, wished, present) };
  return { kind, id, name, outcome: changeOf(by, wished, present.raw) === null ? 'unchanged' : 'updated' };
}

/** Its user or group was there a moment ago. */
const gone = (noun: string, name: string): Complaint =>
  new Complaint('not_found', `There is no ${noun} ${name} any more.`, { next: 'Somebody has removed it.' });

/** What the server, or a look at it, had to say about one document: with its place, and what has become of the others. */
function placed(
  { exit, message, findings, next, cause }: Complaint,
  wish: Wish,
  { done, all }: { done: number; all: number },
): Complaint {
  const rest =
    done === 0 ? 'Nothing has been changed.' : `What is told above is done; ${all - done} of ${all} are left.`;
  return new Complaint(exit, `${wish.place(findings[0]?.pointer ?? '')}: ${wish.by.noun} ${wish.name}: ${message}`, {
    findings:
      findings.length > 1
        ? findings.map(({ pointer, detail }) => ({ pointer: wish.place(pointer), detail: `${pointer} ${detail}` }))
        : [],
    next: `${next}\n${rest} Apply it again when that is mended.`,
    cause,
  });
}
