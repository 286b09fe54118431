import type { IncomingHttpHeaders } from 'node:http';
import type { ErrorRequestHandler } from 'express';
import { Problem, type ProblemCode, problemOf, problems } from '../../domain/problems.js';
import { amountOf, limits } from '../../schemas/common/limits.js';
import { requestId } from './request.js';

/** What is refused: the address that was asked, the id and the headers of the request, as far as it could be read. */
export type Refused = { instance: string; request_id: string; headers: IncomingHttpHeaders };

/** How a face says what goes wrong. Headers and body are its own; what HTTP itself asks for with a status is added. */
export type RefusalOf = (
  problem: Problem,
  refused: Refused,
) => { status: number; type: string; body: string; headers?: Readonly<Record<string, string | string[]>> };

/** Of an address that is told in an answer: nobody reads more of it. */
const longestInstance = 1_000;

/** The only place where an error becomes an answer. What is not a problem is a bug: logged once, shown as a fixed text. */
export const refusing =
  (refusalOf: RefusalOf): ErrorRequestHandler =>
  (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    const problem = asProblem(error);
    if (problems[problem.code].status >= 500) request.log.error({ err: error }, problem.message);
    const { status, type, body, headers } = refusalOf(problem, {
      instance: (request.originalUrl.split('?', 1)[0] ?? '/').slice(0, longestInstance),
      request_id: requestId(request),
      headers: request.headers,
    });
    if (problem.retryAfter !== undefined) response.set('Retry-After', String(problem.retryAfter));
    if (status === 503) response.set('Retry-After', '1');
    response
      .set({ ...headers })
      .status(status)
      .type(type)
      .send(body);
  };

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
