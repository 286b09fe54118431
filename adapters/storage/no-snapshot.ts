import { Problem } from '../../domain/problems.js';

export const noSnapshot = (snapshot: number): Problem =>
  new Problem('not_found', `Its datastore has no snapshot ${snapshot} of it.`);
