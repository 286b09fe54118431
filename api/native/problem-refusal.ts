import { type Problem, problems } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';
import type { ProblemBody } from '../../schemas/common/problem.js';
import type { RefusalOf, Refused } from '../http/refusal.js';

/** The native API says what goes wrong by RFC 9457. */
export const problemRefusal: RefusalOf = (problem, refused) => {
  const { status } = problems[problem.code];
  return {
    status,
    type: 'application/problem+json',
    body: JSON.stringify(problemBody(problem, refused)),
    ...(status === 401 && { headers: { 'WWW-Authenticate': challenges(refused) } }),
  };
};

function problemBody(problem: Problem, { instance, request_id }: Refused): ProblemBody {
  const { status, title } = problems[problem.code];
  return {
    type: `/problems/${problem.code}`,
    title,
    status,
    detail: problem.message,
    ...{ instance, request_id },
    ...(problem.findings.length > 0 ? { errors: problem.findings.slice(0, limits.findings.most) } : {}),
    ...(problem.operation === undefined ? {} : { operation: problem.operation }),
    ...(problem.quota === undefined ? {} : { exceeded: problem.quota }),
  };
}

/**
 * What to send instead. At a challenge for Basic a browser asks its user for a password, of a script's request too: those
 * hear of tokens alone.
 */
function challenges({ headers }: Refused): string[] {
  const wrong = /^Bearer /i.test(headers.authorization ?? '') ? ', error="invalid_token"' : '';
  const bearer = `Bearer realm="Arcus"${wrong}`;
  return headers['sec-fetch-dest'] === 'empty' ? [bearer] : ['Basic realm="Arcus", charset="UTF-8"', bearer];
}
