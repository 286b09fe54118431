import { randomUUID } from 'node:crypto';
import type { Answer } from '../../client/client.js';
import { Refusal } from '../../client/errors.js';
import type { Again, Lost } from '../../client/manner.js';
import type { Body } from '../../client/message.js';
import { printable } from '../../schemas/common/printable.js';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import { complaintOf } from '../shell/api-client.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { interruptible } from '../shell/interruptible.js';

/** Milliseconds before each repetition, about ten seconds in all: time for a server to be started again. */
const pauses = [200, 400, 800, 1600, 3000, 4000];
/** Milliseconds for one answer: an operation is accepted within a second, unless the database is away. */
const within = 10_000;

const look = 'See whether it was accepted with: arcus operation list';

/** Who asks, and is told when it takes more than one try. */
type Asking = Pick<Context, 'client' | 'err'>;

/**
 * Asks for an operation. When the connection is lost or the server cannot answer now, the same request is sent again,
 * under the same Idempotency-Key: whatever became of the first one, there is one operation.
 */
export function startOperation(
  context: Asking,
  method: 'POST' | 'DELETE',
  path: string,
  body?: Body,
): Promise<Answer<OperationResource>> {
  const key = randomUUID();
  return interruptible(
    (signal) =>
      accepted(context, (again) =>
        context.client().send(method, path, OperationResource, body, { key, signal, within, again }),
      ),
    () =>
      new Complaint('detached', 'Interrupted before the server had answered: it may have been accepted.', {
        next: look,
      }),
  );
}

async function accepted(
  context: Asking,
  send: (again: Again) => Promise<Answer<OperationResource>>,
): Promise<Answer<OperationResource>> {
  let mayHaveArrived = false;
  const lost = (error: Lost, pause: number | null): void => {
    mayHaveArrived ||= error instanceof Refusal || error.mayHaveArrived;
    if (pause === pauses[0]) context.err(`${complaintOf(error).message} Asking again; it will not be done twice.`);
  };
  try {
    const answer = await send({ pauses, lost });
    for (const warning of answer.value.warnings ?? []) context.err(printable(warning));
    return answer;
  } catch (error) {
    if (!(error instanceof Complaint) || !mayHaveArrived) throw error;
    if (error.exit === 'unreachable') throw uncertain(error);
    throw error.exit === 'conflict' ? doneBefore(error) : error;
  }
}

const uncertain = ({ message, cause }: Complaint): Complaint =>
  new Complaint('unreachable', `${message} Asked ${pauses.length + 1} times; it may have been accepted.`, {
    cause,
    next: look,
  });

/** What cannot be done twice, such as an answer, may be refused because it was done. */
const doneBefore = ({ message, findings, next, cause }: Complaint): Complaint =>
  new Complaint('conflict', `${message} An earlier try of this request, whose answer was lost, may have done it.`, {
    findings,
    next,
    cause,
  });
