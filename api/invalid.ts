import { type Finding, Problem } from '../domain/problems.js';

/** The problem that carries these findings, with a sentence that says the first. */
export function invalid(findings: readonly Finding[]): Problem {
  const [first] = findings;
  const sentence = first ? `${first.pointer === '' ? 'The body' : first.pointer} ${first.detail}.` : 'It is not valid.';
  return new Problem(
    'invalid_request',
    findings.length > 1 ? `${findings.length} things in the request are not valid. The first: ${sentence}` : sentence,
    { findings },
  );
}
