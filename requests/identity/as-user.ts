import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { seenUser } from '../../store/identity/seen-user.js';
import type { OperationsContext } from '../context.js';

/**
 * Somebody in whose name something is asked for that he does not ask for himself now, with the rights that he has now. `who`: in
 * what part, for the refusal where he is gone or may do nothing any more.
 */
export async function asUser(
  { directory }: Pick<OperationsContext, 'directory'>,
  id: number,
  who: string,
): Promise<Caller> {
  const seen = await seenUser(directory, id);
  if (seen?.user.enabled) return seen.caller;
  throw new Problem('not_authorized', `User ${id}, ${who}, is ${seen ? 'disabled' : 'gone'}.`);
}
