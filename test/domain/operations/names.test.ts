import { describe, expect, it } from 'vitest';
import { domainName, workflowIdOf } from '../../../domain/operations/names.js';

describe('names that derive from ids', () => {
  it('are the same whenever they are computed', () => {
    expect(domainName(34)).toBe('one-34');
  });

  it('tell a service and a VM with the same id apart', () => {
    expect(workflowIdOf({ type: 'service', id: 7 })).toBe('service-7');
    expect(workflowIdOf({ type: 'vm', id: 7 })).toBe('vm-7');
  });
});
