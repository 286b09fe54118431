import { Problem } from '../../domain/problems.js';

/**
 * What was chosen before a transaction is not free any more in it: somebody else has it, or it is not there. Nothing was written, and
 * something else has to be chosen.
 */
export class ChoiceLost extends Error {
  override readonly name = 'ChoiceLost';
}

/** Beyond it somebody would be changing what there is all the time. */
const most = 50;

/** Chooses and writes until what was chosen is had. `work`: chooses anew each time. */
export async function untilChosen<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1)
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ChoiceLost)) throw error;
      if (tries >= most)
        throw new Problem(
          'backend_unavailable',
          'So many take the same at this moment that each that was chosen was gone. Try again.',
          { cause: error },
        );
    }
}
