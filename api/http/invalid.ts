import { type Finding, Problem } from '../../domain/problems.js';

/** The problem that carries these findings, with a sentence that says the first. */
export function invalid(findings: readonly Finding[]): Problem {
  const [first] = findings;
  const sentence = first ? said(first) : 'It is not valid.';
  return new Problem(
    'invalid_request',
    findings.length > 1 ? `${findings.length} things in the request are not valid. The first: ${sentence}` : sentence,
    { findings },
  );
}

function said({ pointer, detail }: Finding): string {
  return `${pointer === '' ? 'The body' : pointer} ${detail}${detail.endsWith('?') ? '' : '.'}`;
}
