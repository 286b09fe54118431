import { type Problem, type ProblemCode, problems } from '../../domain/problems.js';
import type { RefusalOf, Refused } from '../http/refusal.js';
import { waysOf } from './client-version.js';

/** What OneFlow's clients are told of is the sentence alone, as text; they print it, and end with the status as exit code. */
export const oneflowRefusal: RefusalOf = (problem, refused) => {
  const status = statusOf(problem.code);
  return {
    status,
    type: 'text/plain',
    body: [sentence(problem, refused), ...linesOf(problem)].join('\n'),
    ...(status === 401 && { headers: { 'WWW-Authenticate': 'Basic realm="Arcus", charset="UTF-8"' } }),
  };
};

/** OneFlow knows no conflicts: all that a state forbids is 500 there. What HTTP itself refuses keeps its status. */
function statusOf(code: ProblemCode): number {
  if (code === 'method_not_allowed') return 404;
  const { status } = problems[code];
  return status === 409 || status === 412 || status === 502 ? 500 : status;
}

/** Of a document that is not there clients look for the words `Error getting`. */
function sentence({ code, message }: Problem, { instance, headers }: Refused): string {
  const [, id] = /^\/service(?:_template)?\/(\d+)/.exec(instance) ?? [];
  if (code !== 'not_found' || id === undefined) return message;
  return `[${waysOf(headers['user-agent']).call}] Error getting document [${id}]. ${message}`;
}

/** Everything wrong at once, a line each; one alone is in the sentence, where that tells it. */
const linesOf = ({ message, findings }: Problem): string[] =>
  findings.filter(({ detail }) => findings.length > 1 || !message.includes(detail)).map(lineOf);

const lineOf = ({ pointer, detail }: { pointer: string; detail: string }): string =>
  pointer === '' ? detail : `${pointer} ${detail}`;
