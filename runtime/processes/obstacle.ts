import { withoutPasswords } from '../../schemas/common/without-passwords.js';

/** What keeps Arcus from starting, as one sentence that tells the operator what to do. It is printed without its stack. */
export class Obstacle extends Error {
  override readonly name: string = 'Obstacle';
}

/** The message of anything thrown, with its innermost cause: `fetch failed` alone says nothing. It holds no password. */
export const reasonOf = (error: unknown): string => withoutPasswords(messageOf(error));

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? `${error.message} (${messageOf(cause)})` : error.message;
}

/** The `code` of a system error, such as ENOENT, or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
