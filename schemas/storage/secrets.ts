import { z } from 'zod';

/** What became of sealing all secrets anew. */
export const SecretsRotated = z
  .object({
    key: z.string().nullable().describe('Name of the key that seals now; null: there is no secret yet'),
    resealed: z.int().describe('Secrets that were sealed with it'),
    unused: z
      .array(z.string())
      .describe(
        'Keys of the file that no secret has any more: backups of the database may; else their lines can be removed',
      ),
  })
  .meta({ id: 'SecretsRotated' });
export type SecretsRotated = z.infer<typeof SecretsRotated>;
