import { z } from 'zod';

/** What a domain does, as its hypervisor says. */
export const DomainState = z.enum(['booting', 'running', 'stopped', 'suspended', 'failed']);
export type DomainState = z.infer<typeof DomainState>;
