import { Problem } from '../../domain/problems.js';
import type { Market } from './port.js';

const refused = async (): Promise<never> => {
  throw new Problem(
    'not_implemented',
    'This marketplace has no catalogue of its own: its apps are those that are published in it.',
  );
};

/** Of what is ours alone. */
export const noCatalogue = { catalogue: refused } satisfies Partial<Market>;
