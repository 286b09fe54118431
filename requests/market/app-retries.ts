import type { RetriesOn } from '../operations/retrying.js';
import { publishAgain, removeAppAgain } from './publishing.js';

export const appRetries: RetriesOn<'app'> = {
  publishApp: (context, caller, { resource: { id }, input }, asked) => publishAgain(context, caller, id, input, asked),
  deleteApp: (context, caller, { resource: { id } }, asked) => removeAppAgain(context, caller, id, asked),
};
