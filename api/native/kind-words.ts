import { type Kind, kinds } from '../../schemas/kinds.js';

/** The tag of the routes of a kind: `VM templates`. */
export const tagOf = (kind: Kind): string => kinds[kind].several.replace(/^./, (first) => first.toUpperCase());

/** A kind in the ids of its routes: `VmTemplate`. */
export const idOf = (kind: Kind): string =>
  kind
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
