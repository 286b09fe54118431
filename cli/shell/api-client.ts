import type { Client } from '../../client/client.js';
import type { ClientError, Reason, Refusal } from '../../client/errors.js';
import type { Again } from '../../client/manner.js';
import { clientFor } from '../../client/node/client.js';
import { Complaint, type Exit } from './complaint.js';
import type { Connection } from './connection.js';
import { nextStep, sentenceOf } from './next-step.js';

/** The native API, by its paths below /api/v1. Everything but a success throws a Complaint. */
export const createApiClient = ({ typed = false, ...server }: Connection, reading?: Again): Client =>
  clientFor({ ...server, reading, inWords: (error) => complaintOf(error, typed) });

/**
 * A server that is started again is waited for by whatever a command reads, by id or by name: what changes something waits, too, and
 * whoever follows an operation does so for longer.
 */
export const whileRestarted: Again = { pauses: [200, 400, 800, 1600] };

/** What the user is told of it, and can do. `typed`: name and password come from nowhere but the keyboard. */
export function complaintOf(error: ClientError, typed = false): Complaint {
  const { message, asked } = error;
  switch (error.name) {
    case 'Unreachable':
      return new Complaint(
        wrongProtocol.has(error.reason) ? 'usage' : 'unreachable',
        error.reason === 'broken_off' ? nothing(asked.endpoint) : message,
        {
          cause: error,
          next: nextOf[error.reason](asked.endpoint),
        },
      );
    case 'Refusal':
      return refused(error, typed);
    case 'Misunderstood':
      return error.findings.length === 0
        ? new Complaint('failure', message, { cause: error, next: `Is it the address of an Arcus? ${nameAnother}` })
        : new Complaint(
            'failure',
            `What ${asked.endpoint.origin} answered is not what this version of arcus expects.`,
            {
              findings: error.findings,
              cause: error,
              next: 'Is it an Arcus of the same version?',
            },
          );
  }
}

/** Whether it was never there or has gone meanwhile is the same to whoever waits. */
const nothing = ({ origin }: URL): string => `Nothing answers at ${origin}.`;

const places = '--endpoint, ARCUS_ENDPOINT or';
const nameAnother = `Name another with ${places} a context.`;
const wrongProtocol: ReadonlySet<Reason> = new Set(['tls', 'no_tls']);

const isItRunning = (): string =>
  `Is Arcus running? Start it with npm start, or name another with ${places} a context.`;

const nextOf: Record<Reason, (endpoint: URL) => string> = {
  silent: isItRunning,
  late: isItRunning,
  broken_off: isItRunning,
  untrusted: () =>
    'Nothing was sent. If it comes from an authority of your own, name the file with that in ARCUS_CA, or by --ca where you sign in.',
  tls: ({ host }) => `Name it https://${host} in ${places} the context. What was sent has gone in the clear.`,
  no_tls: ({ host }) =>
    `If it is to be asked in the clear, where others on the way can read passwords, name it http://${host} in ${places} the context.`,
};

const exitOf: Record<number, Exit> = {
  400: 'usage',
  401: 'not_allowed',
  403: 'not_allowed',
  404: 'not_found',
  409: 'conflict',
  412: 'conflict',
  413: 'usage',
  415: 'usage',
  429: 'not_allowed',
  503: 'unreachable',
};

function refused(error: Refusal, typed: boolean): Complaint {
  const { status, problem, code, asked } = error;
  const exit = exitOf[status] ?? 'failure';
  if (problem)
    return new Complaint(exit, sentenceOf(problem, asked), {
      findings: problem.errors ?? [],
      next: nextStep(problem, { ...asked, typed }),
      ...(code !== null && { code }),
      cause: error,
    });
  return new Complaint(exit, error.message, {
    cause: error,
    next: `Is it the address of an Arcus of the same version? ${nameAnother}`,
  });
}
