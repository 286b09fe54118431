import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vmName } from '../../../domain/vms/vm-name.js';

const names = { serviceId: 6, serviceName: 'shop', roleName: 'front', vmNumber: 0 };

describe('the name of a VM of a service', () => {
  it.each([
    ['$ROLE_NAME_$VM_NUMBER_(service_$SERVICE_ID)', 'front_0_(service_6)'],
    ['$SERVICE_NAME-$SERVICE_NAME', 'shop-shop'],
    ['plain $OTHER', 'plain $OTHER'],
    // Else it would read as the id of another VM.
    ['$SERVICE_ID$VM_NUMBER', 'vm_60'],
    [`${'9'.repeat(128)} and more`, `vm_${'9'.repeat(125)}`],
  ])('comes from %j', (pattern, name) => {
    expect(vmName(pattern, names)).toBe(name);
  });

  it('expands placeholders that the name of the service brings, as OneFlow does', () => {
    expect(vmName('$SERVICE_NAME', { ...names, serviceName: '$VM_NUMBER of $SERVICE_ID' })).toBe('0 of $SERVICE_ID');
  });

  it('takes a service name as it is written', () => {
    expect(vmName('$SERVICE_NAME', { ...names, serviceName: '$& $1 $$' })).toBe('$& $1 $$');
  });

  it('is at most 128 characters and never ends in half a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (serviceName) => {
        const name = vmName('x$SERVICE_NAME$SERVICE_NAME', { ...names, serviceName });
        expect(name.length).toBeLessThanOrEqual(128);
        expect(() => encodeURIComponent(name)).not.toThrow();
      }),
    );
  });
});
