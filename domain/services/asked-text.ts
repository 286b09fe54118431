import { capital } from '../../schemas/common/capital.js';
import { few } from '../words.js';

/** What somebody may ask of a service, or of roles of it, as its log says it. */
type Deed = 'deployment' | 'repair' | 'recovery' | 'release' | 'undeployment' | 'hard undeployment' | 'deletion';

/** The line that the log of a service has for it: `Repair of role db, by alice`. `roles`: those that it is about; absent: all. */
export function askedText(deed: Deed, by: string, roles?: readonly string[]): string {
  const of = roles === undefined ? '' : ` of ${roles.length === 1 ? 'role' : 'roles'} ${few(roles)}`;
  return `${capital(deed)}${of}, by ${by}`;
}
