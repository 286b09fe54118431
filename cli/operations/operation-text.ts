import { printable } from '../../schemas/common/printable.js';
import type { OperationDetail } from '../../schemas/operations/operation-resource.js';
import type { StepResource } from '../../schemas/operations/step.js';
import { actionLines } from '../shell/action-lines.js';
import type { Context } from '../shell/command.js';
import { durationText, roughText } from '../shell/duration.js';
import { pairs, tableOf } from '../shell/output.js';
import { stateText } from '../shell/state-colour.js';
import { wrapped } from '../shell/wrapped.js';
import { nextTry, tookText } from './operation-progress.js';

/** An operation in full: who and what, its question, how far each role is, every step, what can be done. */
export function operationText(operation: OperationDetail, context: Context): string {
  const now = context.now();
  const width = context.width();
  return [
    `OPERATION ${operation.id} INFORMATION`,
    header(operation, now),
    ...question(operation, width),
    ...progress(operation),
    ...performed(operation),
    ...flushed(operation),
    ...failedOver(operation),
    ...steps(operation, now, width),
    ...(operation.actions.length > 0 ? ['', 'WHAT YOU CAN DO', actionLines(operation.actions, width)] : []),
  ].join('\n');
}

function header(operation: OperationDetail, now: Date): string {
  const { resource, started_at, ended_at, error, eta, cancel_requested } = operation;
  const end = ended_at === null ? now.getTime() : Date.parse(ended_at);
  return pairs([
    ['ID', operation.id],
    ['TYPE', operation.type],
    ['ACTION', operation.action],
    ['RESOURCE', `${resource.type} ${resource.id} (${resource.name})`],
    ['ROLE', operation.role],
    ['ASKED BY', askedBy(operation)],
    ['STATE', operation.state],
    ['WAITING FOR', operation.waiting_for],
    ['STOPPING', cancel_requested && `asked by ${cancel_requested.by.name} at ${cancel_requested.at}`],
    ['ERROR', error && (error.detail === error.code ? error.code : `${error.code}: ${error.detail}`)],
    ['TRIES AGAIN', operation.retry_of],
    ['CREATED', operation.created_at],
    ['STARTED', started_at],
    ['ENDED', ended_at],
    [ended_at === null ? 'SO FAR' : 'TOOK', durationText(end - Date.parse(started_at ?? operation.created_at))],
    ['LEFT', eta && `about ${roughText(Date.parse(eta.at) - now.getTime())} (${typical(eta)})`],
    ['WORKFLOW', operation.workflow.id],
    ['TEMPORAL', operation.workflow.url],
    ['NEXT TRIES', operation.asked_engine ? null : 'not known: Temporal did not answer within a second'],
  ]);
}

/** Of what a policy has decided that policy, and in whose name. */
export const askedBy = ({ decided_by, requester }: Pick<OperationDetail, 'decided_by' | 'requester'>): string =>
  decided_by === null ? requester.name : `${decided_by}, as ${requester.name}`;

const typical = ({ typical_seconds, runs }: NonNullable<OperationDetail['eta']>): string =>
  `${durationText(typical_seconds * 1000)} is typical: ${runs === 1 ? 'one earlier run' : `median of ${runs} earlier runs`}`;

const question = ({ question }: OperationDetail, width: number | null): string[] =>
  question ? ['', `QUESTION, asked at ${question.asked_at}`, wrapped(printable(question.text), width)] : [];

type PerformedVm = NonNullable<OperationDetail['performed']>['vms'][number];
const performedLine = ({ vm, outcome, operation, why }: PerformedVm): string =>
  `VM ${vm}: ${outcome}${operation === null ? '' : `, operation ${operation}`}${why === null ? '' : `: ${printable(why)}`}`;

/** Of an action: what each VM has said. */
function performed({ performed }: OperationDetail): string[] {
  if (!performed) return [];
  const { action, asked, refused, gone, left, vms } = performed;
  const counts = `${asked} asked, ${refused} refused, ${gone} gone, ${left} left`;
  return ['', `${action.toUpperCase()}: ${counts}`, ...vms.map(performedLine)];
}

type FlushedVm = NonNullable<OperationDetail['flushed']>['vms'][number];
function flushedLine({ vm, outcome, live, operation, why }: FlushedVm): string {
  const way = live === null || (outcome !== 'moved' && outcome !== 'moving') ? '' : live ? ' live' : ' cold';
  return `VM ${vm}: ${outcome}${way}${operation === null ? '' : `, operation ${operation}`}${why === null ? '' : `: ${printable(why)}`}`;
}

/** Of a flush: what has become of each VM, those first that stay. */
function flushed({ flushed }: OperationDetail): string[] {
  if (!flushed) return [];
  const { moved, gone, moving, waits, stays, vms } = flushed;
  const counts = `${moved} moved, ${gone} gone, ${moving} moving, ${waits} waiting, ${stays} staying`;
  return ['', `VMS: ${counts}`, ...vms.map(flushedLine)];
}

type FailedOverVm = NonNullable<OperationDetail['failed_over']>['vms'][number];
const failedOverLine = ({ vm, outcome, was, operation, why }: FailedOverVm): string =>
  `VM ${vm}: ${outcome.replace('_', ' ')}${was === 'off' ? ', was off' : ''}${operation === null ? '' : `, operation ${operation}`}${why === null ? '' : `: ${printable(why)}`}`;

/** The same of a failover. */
function failedOver({ failed_over }: OperationDetail): string[] {
  if (!failed_over) return [];
  const { recovered, gone, pending, under_way, waits, stays, vms } = failed_over;
  const counts = `${recovered} recovered, ${gone} gone, ${pending} waiting for room, ${under_way} under way, ${waits} waiting, ${stays} staying`;
  return ['', `VMS: ${counts}`, ...vms.map(failedOverLine)];
}

function progress({ progress }: OperationDetail): string[] {
  if (!progress) return [];
  const counts = (part: { done: number; total: number }): string => `${part.done}/${part.total}`;
  const whole = { name: 'all', state: '', done: progress.done, total: progress.total };
  const rows =
    progress.roles.length > 1 ? [...progress.roles, whole] : progress.roles.length > 0 ? progress.roles : [whole];
  return [
    '',
    'PROGRESS',
    tableOf(
      [
        { title: 'ROLE', text: ({ name }) => name },
        { title: progress.unit, text: counts, right: true },
        { title: 'STATE', text: ({ state }) => state, colour: stateText },
      ],
      rows,
    ),
  ];
}

/** A step a line, in words at its end; below them, why its last try failed and when the next one comes. */
function steps({ steps, created_at, asked_engine }: OperationDetail, now: Date, width: number | null): string[] {
  if (steps.length === 0) return [];
  // The date is worth its room only when the steps are of several days.
  const from = steps.every(({ started_at }) => started_at.slice(0, 10) === created_at.slice(0, 10)) ? 11 : 0;
  const table = (words: (step: StepResource) => string): string[] =>
    tableOf(
      [
        { title: 'STARTED', text: ({ started_at }) => started_at.slice(from, 19).replace('T', ' ') },
        { title: 'TOOK', text: (step) => tookText(step, now), right: true },
        { title: 'TRIES', text: ({ attempts }) => String(attempts), right: true },
        { title: 'STATE', text: ({ state }) => state, colour: stateText },
        { title: 'STEP', text: words },
      ],
      steps,
    ).split('\n');
  const indent = ' '.repeat(table(() => '')[0]?.indexOf('STEP') ?? 0);
  const lines = (step: StepResource): string[] =>
    [step.title, ...failure(step, asked_engine ? now : null)].flatMap((text) =>
      wrapped(printable(text), width, indent).split('\n'),
    );
  const [head = '', ...rows] = table((step) => lines(step)[0]?.trimStart() ?? '');
  return ['', 'STEPS', head, ...steps.flatMap((step, at) => [rows[at] ?? '', ...lines(step).slice(1)])];
}

/** `now` is null where nobody knows of the next try. */
function failure(step: StepResource, now: Date | null): string[] {
  if (step.error === null) return [];
  return [step.error.detail, ...(now && step.state === 'running' ? [nextTry(step, now)] : [])];
}
