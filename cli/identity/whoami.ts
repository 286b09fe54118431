import { z } from 'zod';
import { SelfResource } from '../../schemas/identity/user.js';
import { type Leaf, leaf } from '../shell/command.js';
import { shown } from '../shell/resource.js';
import { selfText } from './people.js';

export const whoamiCommand: Leaf = leaf({
  usage: 'whoami',
  summary: 'Show who you are to the server: your groups, and the rules that give you rights',
  examples: ['arcus whoami', 'arcus whoami -o name', 'arcus whoami --context prod'],
  schema: z.object({}),
  run: async (context) => {
    const { value, raw } = await context.client().get('/user', SelfResource);
    shown(context, () => selfText(value), raw);
  },
});
