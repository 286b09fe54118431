import { Problem } from '../../../domain/problems.js';
import { limits } from '../../../schemas/common/limits.js';

/** What is said when something has come or gone since it was looked at. */
export const isOvertaken = (said: string): boolean =>
  /Cannot find device|No such device|File exists|No such file|does not exist|Device or resource busy/i.test(said);

/** What a program says of a failure, as a problem. */
export function faultOf(program: string, said: string): Problem {
  const lines = said
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('Command failed'));
  const words = lines.join('; ').slice(0, limits.quoted.most);
  if (/Operation not permitted|Permission denied/i.test(said))
    return new Problem('backend_unavailable', `${program} may not change networks of the host: ${words}.`);
  if (/Unknown device type|Operation not supported|Not supported/i.test(said))
    return new Problem('network_refused', `The host's kernel cannot do what the network needs: ${words}.`);
  return new Problem('network_refused', `${program} fails on the host: ${words}.`);
}
