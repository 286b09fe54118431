import { type Finding, Problem } from './problems.js';

/** Characters that nobody sees, or that change how others are shown: control, format, fillers, and what else is ignored. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}]/u;
const letters = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u];

/** What is wrong with a new name of a user or a group, by which others are to know it again; null: nothing. */
function faultOf(name: string): string | null {
  if (unseen.test(name)) return 'must not contain characters that cannot be seen';
  if (/^\p{Nd}+$/u.test(name)) return 'must not be digits alone: it would read as an id';
  // Letters of these three look alike, so that a name of two of them looks like one of one.
  if (letters.filter((script) => script.test(name)).length > 1)
    return 'must not mix Latin, Greek and Cyrillic letters, which look alike';
  return null;
}

/** A new name of a user or a group as it is kept: composed (NFC). Refuses one that could pass for another. */
export function personName(wished: string): string {
  const name = wished.normalize('NFC');
  const detail = faultOf(name);
  if (detail === null) return name;
  const findings: Finding[] = [{ pointer: '/name', detail }];
  throw new Problem('invalid_request', `The name ${detail}.`, { findings });
}
