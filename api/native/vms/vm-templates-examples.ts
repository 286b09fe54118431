import type { VmTemplateResource } from '../../../schemas/vms/vm-template.js';
import { ofOneadmin } from '../identity/owner-examples.js';

export const small: VmTemplateResource = {
  id: 0,
  name: 'small',
  ...ofOneadmin,
  template: { CPU: 1, MEMORY: 512, CONTEXT: { NETWORK: 'YES' } },
  warnings: [],
  created_at: '2026-05-04T09:20:00.000Z',
};

export const largeText = 'NAME   = large\nCPU    = 4\nMEMORY = 8192\nSCHED_REQUIREMENTS = "SSD = YES"\n';

export const large: VmTemplateResource = {
  id: 1,
  name: 'large',
  ...ofOneadmin,
  template: { CPU: 4, MEMORY: 8192, SCHED_REQUIREMENTS: 'SSD = YES' },
  warnings: [],
  created_at: '2026-05-04T09:21:00.000Z',
};
