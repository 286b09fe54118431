import { type ProblemCode, problems } from '../../domain/problems.js';
import type { ProblemBody } from '../../schemas/common/problem.js';
import type { Example } from './example.js';
import type { Route } from './route.js';

type Shown = { example?: unknown; examples?: Record<string, { value: unknown }> };

/** One is shown as it is, several by their titles. */
function shown(examples: readonly Example[], pick: (example: Example) => unknown): Shown {
  const [first, ...others] = examples;
  if (!first) return {};
  if (others.length === 0) return { example: pick(first) };
  return { examples: Object.fromEntries(examples.map((one) => [one.title ?? '', { value: pick(one) }])) };
}

/** Of the bodies that a route takes: those in JSON, or those in a text of its own. */
export function bodyExamples({ examples }: Pick<Route, 'examples'>, kind: 'json' | 'text'): Shown {
  const sent = ({ body, text }: Example): unknown => (kind === 'text' ? text : body);
  return shown(
    examples.filter((example) => sent(example) !== undefined),
    sent,
  );
}

export const answerExamples = ({ examples }: Pick<Route, 'examples'>): Shown => shown(examples, ({ answer }) => answer);

/** What refusals look like, by their codes. A real one has a sentence of its own in place of the title. */
export function problemExamples(codes: readonly ProblemCode[]): Shown {
  const bodyOf = (code: ProblemCode): ProblemBody => {
    const { title, status } = problems[code];
    const [instance, request_id] = ['/api/v1/hosts/12', '7f9c4a1e-1d0b-4a52-9c55-0e6d3f6a8b21'];
    return { type: `/problems/${code}`, title, status, detail: `${title}.`, instance, request_id };
  };
  return shown(
    codes.map((code) => ({ title: code, answer: bodyOf(code) })),
    ({ answer }) => answer,
  );
}

/** The value of a parameter in the first example that has it; undefined: none does. */
export function parameterExample({ examples }: Pick<Route, 'examples'>, place: string, name: string): unknown {
  const values = examples.flatMap(({ params, query }) => {
    const given = place === 'path' ? params : place === 'query' ? query : undefined;
    if (given === undefined) return [];
    const named: Map<string, unknown> = new Map(Object.entries(given));
    return [named.get(name)];
  });
  return values.find((value) => value !== undefined);
}
