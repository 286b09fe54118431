import { duplicateFields } from './duplicate-key.js';

/** Another document has already what no two may have, and nothing was written. */
export class Taken extends Error {
  override readonly name = 'Taken';
  readonly #fields: readonly string[];

  constructor(fields: readonly string[], options: ErrorOptions) {
    super(`another has the same ${fields.join(' and ')}`, options);
    this.#fields = fields;
  }

  /** Whether this is among what the other has, too. */
  has(field: string): boolean {
    return this.#fields.includes(field);
  }
}

/** Runs a write. Throws Taken where another has already what is written. */
export async function orTaken<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const fields = duplicateFields(error);
    throw fields === null ? error : new Taken(fields, { cause: error });
  }
}
