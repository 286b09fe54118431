import type { ShutdownAction } from '../../schemas/services/service-template.js';

/** Whether VMs go hard. `shutdown` is the old name of terminate, `shutdown-hard` of terminate-hard. */
export const isHard = (action: ShutdownAction): boolean => action === 'terminate-hard' || action === 'shutdown-hard';
