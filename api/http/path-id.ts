import { z } from 'zod';

/** The id in a path: digits only, so that `1e3` and the empty text are not taken for numbers. */
export const PathId = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,14})$/, 'must be an integer id, such as 12')
  .transform(Number)
  .meta({
    type: 'integer',
    pattern: undefined,
    minimum: 0,
    maximum: 999_999_999_999_999,
    description: 'Integer id within its pool',
  });
