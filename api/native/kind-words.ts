import { capital } from '../../schemas/common/capital.js';
import { type Kind, kinds } from '../../schemas/kinds.js';

/** The tag of the routes of a kind: `VM templates`. */
export const tagOf = (kind: Kind): string => capital(kinds[kind].several);

/** A kind in the ids of its routes: `VmTemplate`. */
export const idOf = (kind: Kind): string => kind.split('_').map(capital).join('');
