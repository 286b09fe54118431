import { type Kind, kinds } from '../../schemas/kinds.js';

/** What a kind is called on the command line, and where the API has it. */
export const nounOf = (kind: Kind): { noun: string; several: string; path: string } => ({
  noun: kind.replaceAll('_', '-'),
  several: kinds[kind].several,
  path: kinds[kind].path,
});

const isKind = (name: string): name is Kind => Object.hasOwn(kinds, name);

/** Where the API has the kind that is called so on the command line. */
export function pathOfNoun(noun: string): string {
  const kind = noun.replaceAll('-', '_');
  if (!isKind(kind)) throw new Error(`there is no kind called ${noun}`);
  return kinds[kind].path;
}
