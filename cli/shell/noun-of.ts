import { type Kind, kinds } from '../../schemas/kinds.js';

/** What a kind is called on the command line, and where the API has it. */
export const nounOf = (kind: Kind): { noun: string; path: string } => ({
  noun: kind.replaceAll('_', '-'),
  path: kinds[kind].path,
});
