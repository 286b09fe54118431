import { amountOf, limits } from '../../../schemas/common/limits.js';
import { table } from './shapes.js';

/** docs/reference/limits.md: what anything may have at most. */
export function limitsReference(): string {
  const rows = Object.values(limits).map(({ most, unit, of, why }) => [of, amountOf(most, unit), why]);
  return `# Limits

<!-- Generated from the table of limits by: node dist/api/write-reference.js -->

What anything may have at most. Bytes of an object are those of its JSON in UTF-8, without blanks between its tokens.

What a request leads to counts, not what it sends: an object is measured as it would be after the edit, with what the request
leaves as it is, after values have taken the places of \`$NAME\`, and with \`APPEND\`. What goes beyond is refused as
[\`invalid_request\`](problems.md#invalid_request), with the place, how much it would be and how much is possible; a body or
an address that is too long has [problems](problems.md) of its own. Nothing is written then.

What is stored already and is larger can be read, deleted, and edited as long as it does not grow: it can be made smaller bit
by bit, and does not stand in the way of other changes. New VMs are not made of a VM template that is too large.

${table(['Of', 'At most', 'Why'], rows)}
`;
}
