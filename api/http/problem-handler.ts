import type { ErrorRequestHandler, Request, Response } from 'express';
import { Problem, type ProblemCode, problemOf, problems } from '../../domain/problems.js';
import { amountOf, limits } from '../../schemas/common/limits.js';
import type { ProblemBody } from '../../schemas/common/problem.js';
import { requestId } from './request.js';

/** Of an address that is told in an answer: nobody reads more of it. */
const longestInstance = 1_000;

/** The only place where an error becomes an answer. What is not a problem is a bug: logged once, shown as a fixed text. */
export const problemHandler: ErrorRequestHandler = (error: unknown, request, response, next) => {
  if (response.headersSent) return next(error);
  const problem = asProblem(error);
  if (problems[problem.code].status >= 500) request.log.error({ err: error }, problem.message);
  sendProblem(problem, request, response);
};

/** What a client is told. `about`: the address that was asked, and the id of the request. */
export function problemBody(problem: Problem, about: Pick<ProblemBody, 'instance' | 'request_id'>): ProblemBody {
  const { status, title } = problems[problem.code];
  return {
    type: `/problems/${problem.code}`,
    title,
    status,
    detail: problem.message,
    ...about,
    ...(problem.findings.length > 0 ? { errors: problem.findings.slice(0, limits.findings.most) } : {}),
    ...(problem.operation === undefined ? {} : { operation: problem.operation }),
    ...(problem.quota === undefined ? {} : { exceeded: problem.quota }),
  };
}

function sendProblem(problem: Problem, request: Request, response: Response): void {
  const { status } = problems[problem.code];
  const body = problemBody(problem, {
    instance: (request.originalUrl.split('?', 1)[0] ?? '/').slice(0, longestInstance),
    request_id: requestId(request),
  });
  if (status === 401) response.set('WWW-Authenticate', challenges(request));
  if (problem.retryAfter !== undefined) response.set('Retry-After', String(problem.retryAfter));
  if (status === 503) response.set('Retry-After', '1');
  response.status(status).type('application/problem+json').send(JSON.stringify(body));
}

/**
 * What to send instead. At a challenge for Basic a browser asks its user for a password, of a script's request too: those
 * hear of tokens alone.
 */
function challenges({ headers }: Request): string[] {
  const wrong = /^Bearer /i.test(headers.authorization ?? '') ? ', error="invalid_token"' : '';
  const bearer = `Bearer realm="Arcus"${wrong}`;
  return headers['sec-fetch-dest'] === 'empty' ? [bearer] : ['Basic realm="Arcus", charset="UTF-8"', bearer];
}

/** What Express and its body reader throw, by their `type`. */
const readerFaults: Record<string, { code: ProblemCode; detail: string }> = {
  'entity.too.large': {
    code: 'body_too_large',
    detail: `A body may have ${amountOf(limits.body.most, 'bytes')} at most.`,
  },
  'encoding.unsupported': { code: 'unsupported_media_type', detail: 'Bodies may be plain, gzip, deflate or br.' },
  'request.aborted': { code: 'malformed_body', detail: 'The request ended before its body was complete.' },
  'request.size.invalid': { code: 'malformed_body', detail: 'The body is not as long as Content-Length says.' },
};

const databaseFaults =
  /^(Mongo(ServerSelection|Network|NetworkTimeout|NotConnected|PoolCleared|PoolClosed|Topology)|MongooseServerSelection|Disconnected)/;

function asProblem(error: unknown): Problem {
  const problem = problemOf(error);
  if (problem) return problem;
  if (!(error instanceof Error)) return new Problem('internal', internal);
  const fault = 'type' in error ? readerFaults[String(error.type)] : undefined;
  if (fault) return new Problem(fault.code, fault.detail, { cause: error });
  if (error instanceof URIError) return new Problem('invalid_request', 'The address has a broken % escape.');
  if ('status' in error && error.status === 400) {
    return new Problem('malformed_body', 'The body cannot be read.', { cause: error });
  }
  if (databaseFaults.test(error.name)) {
    return new Problem('database_unavailable', 'The database does not answer; try again in a moment.', {
      cause: error,
    });
  }
  return new Problem('internal', internal, { cause: error });
}

const internal = 'This is a fault in Arcus. Its log has the reason under the request id.';
