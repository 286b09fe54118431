import { isProblemCode, type ProblemCode, problems } from '../../../domain/problems.js';
import { problemWords } from '../../http/problem-words.js';
import { table } from './shapes.js';

const codes: readonly ProblemCode[] = Object.keys(problems).filter(isProblemCode);

/** docs/reference/problems.md: each kind of problem, what it means and what to do. */
export function problemReference(): string {
  const rows = codes.map((code) => [`[\`${code}\`](#${code})`, String(problems[code].status), problems[code].title]);
  return `# Problems

<!-- Generated from the table of problems by: node dist/api/write-reference.js -->

Whatever is refused is answered as \`application/problem+json\` (RFC 9457): [how to read it](../api.md#problems). The last
part of \`type\` is the code, and the address is that of a page of the server which says what is said here. Codes
stay what they are; titles and sentences may be put better. What operations end with is in their \`error\`.

${table(['Code', 'Status', 'Title'], rows)}

${codes.map(section).join('\n\n')}
`;
}

function section(code: ProblemCode): string {
  const { status, title, retryable } = problems[code];
  const { means, todo } = problemWords[code];
  return [
    `## ${code}`,
    `**${title}.** \`/problems/${code}\`, status ${status}.`,
    means,
    `**What to do:** ${todo}${retryable ? ' The same request may succeed later.' : ''}`,
  ].join('\n\n');
}
