import type { RetriesOn } from '../operations/retrying.js';
import { performAgain } from './actions.js';
import { scaleRoleAgain } from './scaling.js';

/** Of what is about a role alone, or about its VMs. */
export const scalingRetries = {
  scaleRole: (context, caller, { resource: { id }, role }, asked) =>
    scaleRoleAgain(context, caller, id, role ?? '', asked),
  performOnRole: performAgain,
} satisfies Partial<RetriesOn<'service'>>;
