import { ApplicationFailure, CancelledFailure, type Context, type Info } from '@temporalio/activity';
import { z } from 'zod';
import { type Among, amongOf } from '../../domain/among.js';
import { isProblemCode, problemOf, problems } from '../../domain/problems.js';
import type { OperationError } from '../../schemas/operations/operation.js';
import type { StepNote } from '../../store/operations/steps.js';

/** Characters of an error that are kept: enough for a sentence of a hypervisor. */
const longest = 500;

/** What a try says of itself as it begins; undefined: it is no step of an operation. */
export function noteOf(info: Info, args: readonly unknown[], now: Date): StepNote | undefined {
  const [input] = args;
  const run = info.workflowExecution?.runId;
  if (run === undefined || typeof input !== 'object' || input === null) return undefined;
  if (!('op' in input) || typeof input.op !== 'string') return undefined;
  const roles = rolesOf(input);
  const among = amongIn(input) ?? (roles.length > 1 ? amongOf(roles) : undefined);
  return {
    _id: `${input.op}/${run}/${info.activityId}`,
    op: input.op,
    run,
    name: info.activityType,
    role: roles.length === 1 ? (roles[0] ?? null) : null,
    ...(among && { among }),
    vms: vmsOf(input),
    local: info.isLocal,
    started_at: now,
    attempt: info.attempt,
    ended: null,
    error: null,
  };
}

/** The roles that a step is told of one by one. */
function rolesOf(input: object): string[] {
  if ('role' in input && typeof input.role === 'string') return [input.role];
  const roles: readonly unknown[] = 'roles' in input && Array.isArray(input.roles) ? input.roles : [];
  return roles.flatMap((one): string[] => {
    const role = typeof one === 'object' && one !== null && 'role' in one ? one.role : one;
    return typeof role === 'string' ? [role] : [];
  });
}

const TellsAmong = z.object({ among: z.object({ roles: z.array(z.string()), more: z.int() }) });

/** Those of a batch, which is told of VMs. */
function amongIn(input: object): Among | undefined {
  const told = TellsAmong.safeParse(input);
  return told.success ? told.data.among : undefined;
}

function vmsOf(input: object): number | null {
  if ('vms' in input && Array.isArray(input.vms)) return input.vms.length;
  return 'vm' in input ? 1 : null;
}

/** What it says when it has failed: whether it is tried again is not known here when time has run out. */
export function failureNote(
  note: StepNote,
  error: unknown,
  { cancellationDetails }: Pick<Context, 'cancellationDetails'>,
  now: Date,
): StepNote {
  const isCancelled = error instanceof CancelledFailure || (error instanceof Error && error.name === 'AbortError');
  if (isCancelled && cancellationDetails) {
    if (cancellationDetails.workerShutdown) return { ...note, error: own('internal', 'its worker was stopped') };
    if (cancellationDetails.timedOut) return { ...note, error: own('internal', 'the try took too long') };
    return { ...note, ended: { state: 'failed', at: now }, error: own('cancelled', 'cancelled') };
  }
  return { ...note, ended: isFinal(error) ? { state: 'failed', at: now } : null, error: errorOf(error) };
}

const own = (code: OperationError['code'], detail: string): OperationError => ({ code, detail });

function isFinal(error: unknown): boolean {
  const problem = problemOf(error);
  return problem
    ? !problems[problem.code].retryable
    : error instanceof ApplicationFailure && error.nonRetryable === true;
}

/** The error in its own words: no stack, no address with a password, and no more than fits into a list. */
function errorOf(error: unknown): OperationError {
  const problem = problemOf(error);
  const type = error instanceof ApplicationFailure ? (error.type ?? '') : '';
  const said = problem ?? error;
  const [line = ''] = (said instanceof Error ? said.message : String(said)).split('\n');
  return {
    code: problem?.code ?? (isProblemCode(type) ? type : 'internal'),
    detail: line.replace(/\/\/[^\s/@]+@/g, '//…@').slice(0, longest),
  };
}
