import { atMost, limits } from '../../schemas/common/limits.js';
import { hasUnseen } from '../../schemas/common/printable.js';
import { type Finding, Problem } from '../problems.js';
import { readsAsId } from '../reads-as-id.js';
import { looksOf } from './looks.js';

const letters = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u];

/** What is wrong with a new name of anything: people know it again by what they see. */
function faultOf(name: string): string | null {
  if (hasUnseen(name)) return 'must not contain characters that cannot be seen';
  if (readsAsId(name)) return 'must not be digits alone, nor # and digits: it would read as an id';
  // Few characters take more room when they are composed.
  return name.length > limits.name.most ? atMost('name') : null;
}

/** Names that mean somebody wherever OpenNebula is known. */
const wellKnown = ['oneadmin', 'serveradmin'].map((name) => ({ name, looks: looksOf(name) }));

/** The same of a user or a group, whom others trust by name. */
function faultOfPerson(name: string): string | null {
  const looks = looksOf(name);
  if (looks.some((look) => /^[@#-]/.test(look)))
    return 'must not begin with @, # or -: it would read as a group, an id or an option';
  const taken = wellKnown.find((one) => one.name !== name && one.looks.some((look) => looks.includes(look)));
  if (taken !== undefined) return `must not look like ${taken.name}`;
  // Letters of these three look alike, so that a name of two of them looks like one of one.
  if (letters.filter((script) => script.test(name)).length > 1)
    return 'must not mix Latin, Greek and Cyrillic letters, which look alike';
  return faultOf(name);
}

function kept(
  wished: string,
  present: string | undefined,
  fault: (name: string) => string | null,
  pointer = '/name',
): string {
  // One from before there was this rule stays as it is.
  if (wished === present) return wished;
  const name = wished.normalize('NFC');
  const detail = fault(name);
  if (detail === null) return name;
  const findings: Finding[] = [{ pointer, detail }];
  throw new Problem('invalid_request', `The name ${detail}.`, { findings });
}

/**
 * A name that is given to anything, as it is kept: composed (NFC), so that what looks the same is the same. Refuses one
 * with characters that nobody sees. `present`: the name that it has, which it may keep.
 */
export const objectName = (wished: string, present?: string, pointer?: string): string =>
  kept(wished, present, faultOf, pointer);

/** A name that is given to a user or a group. Refuses one that could pass for another, too. */
export const personName = (wished: string, present?: string): string => kept(wished, present, faultOfPerson);
