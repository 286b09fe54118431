import { z } from 'zod';
import { json } from '../../client/message.js';
import { counted } from '../../schemas/common/counted.js';
import {
  type Compared,
  ConsistencyCheckResource,
  type ConsistencyFinding,
} from '../../schemas/consistency/consistency.js';
import { kinds } from '../../schemas/kinds.js';
import { startOperation } from '../operations/start-operation.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { follow } from '../shell/follow.js';
import { rawText, tableOf } from '../shell/output.js';
import { stateText } from '../shell/state-colour.js';

const columns = [
  { title: 'RESOURCE', text: ({ resource }: ConsistencyFinding) => `${resource.type} ${resource.id}` },
  { title: 'FINDING', text: ({ code }: ConsistencyFinding) => code },
  { title: 'OUTCOME', text: ({ outcome }: ConsistencyFinding) => outcome, colour: stateText },
  { title: 'WHAT', text: ({ detail }: ConsistencyFinding) => detail },
  { title: 'WHAT TO DO', text: whatToDo },
];

function whatToDo({ outcome, repair, advice, reason }: ConsistencyFinding): string {
  if (outcome === 'repaired' || outcome === 'gone') return '';
  if (outcome === 'failed') return `Not repaired: ${reason}`;
  return repair === null ? (advice ?? '') : `--repair ${repair}`;
}

/** Starts a check of the whole zone, or shows an earlier one. */
export const fsckCommand: Leaf = leaf({
  usage: 'fsck',
  summary: 'Check that documents, runs and hosts agree; Ctrl-C detaches, the check goes on',
  examples: [
    'arcus fsck',
    'arcus fsck --repair',
    'arcus fsck -o json',
    'arcus fsck --report 01KAJ3V5Q0F8T4X2M7N9P6R1SC',
  ],
  options: [
    ['--repair', 'repair what can be repaired without risk'],
    ['--report <check>', 'start none: show what an earlier check has found'],
  ],
  schema: z
    .object({
      repair: z.boolean().default(false),
      report: z
        .string()
        .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'must be the id of a check')
        .optional(),
    })
    .refine(({ repair, report }) => !repair || report === undefined, {
      path: ['repair'],
      message: 'cannot go with --report',
    }),
  run: async (context, _args, { repair, report }) => {
    if (report !== undefined) return conclude(context, report);
    if (repair) await context.confirm(async () => 'Repair what can be repaired, in the whole zone?');
    const accepted = await startOperation(context, 'POST', '/consistency-checks', json({ repair }));
    const { id } = accepted.value;
    await follow(context, id, `Check ${id} is accepted; its report, also later: arcus fsck --report ${id}`);
    await conclude(context, id);
  },
});

/** Prints a report. Throws a Complaint when anything is left, or when the check has not got to its end. */
async function conclude(context: Context, id: string): Promise<void> {
  const { value, raw } = await context.client().get(`/consistency-checks/${id}`, ConsistencyCheckResource);
  const { findings, found, left, state } = value;
  if (context.format !== 'table') context.out(rawText(context.format, raw));
  else if (findings.length > 0) context.out(tableOf(columns, findings));
  if (findings.length < found) context.err(`The first ${findings.length} of ${found} findings are shown.`);
  if (state !== 'succeeded')
    throw new Complaint('failure', `Check ${id} is ${state}: what it has found is not all.`, {
      next: `See more with: arcus operation show ${id}`,
    });
  if (left > 0)
    throw new Complaint('failure', `${countOf(found, left)} after comparing ${listOf(value.compared)}.`, {
      next: nextStep(findings),
    });
  context.err(`${found === 0 ? 'Nothing was found' : `All is repaired (${found})`}: ${listOf(value.compared)} agree.`);
}

const countOf = (found: number, left: number): string =>
  `${counted(left, finding)} ${left === 1 ? 'is' : 'are'} left${found > left ? ` of ${found}` : ''}`;

const finding = { one: 'finding', several: 'findings' };
const run = { one: 'run', several: 'runs' };
const domain = { one: 'domain', several: 'domains' };

const listOf = ({ services, vms, hosts, operations, runs, domains, images, datastores, markets }: Compared): string =>
  `${counted(services, kinds.service)}, ${counted(vms, kinds.vm)}, ${counted(operations, kinds.operation)}, ${counted(runs, run)}, ${counted(hosts, kinds.host)}, ${counted(domains, domain)}, ${counted(images, kinds.image)}, ${counted(datastores, kinds.datastore)} and ${counted(markets, kinds.market)}`;

function nextStep(findings: readonly ConsistencyFinding[]): string {
  const isRepairable = findings.some(({ outcome, repair }) => outcome === 'found' && repair !== null);
  if (isRepairable) return 'Repair what can be repaired with: arcus fsck --repair';
  const hasFailed = findings.some(({ outcome }) => outcome === 'failed');
  return hasFailed
    ? 'Try again with: arcus fsck --repair'
    : 'Do what is said behind each, then look again with: arcus fsck';
}
