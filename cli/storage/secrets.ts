import { z } from 'zod';
import { counted } from '../../schemas/common/counted.js';
import { SecretsRotated } from '../../schemas/storage/secrets.js';
import { type Leaf, leaf } from '../shell/command.js';
import { report } from '../shell/resource.js';

export const secretsCommands: readonly Leaf[] = [
  leaf({
    usage: 'rotate',
    summary: 'Seal all secrets with a new key; what was cut off is finished by doing it again',
    examples: ['arcus secrets rotate'],
    schema: z.object({}),
    run: async (context) => {
      const { value, raw } = await context.client().send('POST', '/secrets/rotate', SecretsRotated);
      const { key, resealed, unused } = value;
      report(
        context,
        key === null
          ? 'there is no secret yet.'
          : `${counted(resealed, { one: 'secret', several: 'secrets' })} sealed with key ${key}.${unused.length > 0 ? ` No secret has ${unused.join(', ')} any more.` : ''}`,
        raw,
      );
    },
  }),
];
