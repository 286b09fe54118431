import { describe, expect, it } from 'vitest';
import { parseTemplateText } from '../../../domain/template-text.js';
import { VmTemplateBody, VmTemplateChanges } from '../../../schemas/vms/vm-template.js';

const issuesOf = (template: unknown) =>
  (VmTemplateBody.safeParse(template).error?.issues ?? []).map(({ path, message }) => `${path.join('/')} ${message}`);

describe('a VM template', () => {
  it('reads OpenNebula’s text form like JSON', () => {
    const parsed = parseTemplateText('cpu=0.5\nvcpu="2"\nMemory=512\nDISK=[image_id=3]\nDISK=[TYPE=fs,SIZE=10]\nX=1');
    expect(parsed.ok && VmTemplateBody.parse(parsed.value)).toEqual({
      CPU: 0.5,
      VCPU: 2,
      MEMORY: 512,
      DISK: [{ IMAGE_ID: '3' }, { TYPE: 'fs', SIZE: '10' }],
      X: '1',
    });
  });

  it('upper-cases names on both levels and keeps unknown attributes', () => {
    const template = { cpu: 1, memory: 64, nic: { network: 'lan' }, labels: ['a'], os: [{ boot: 'disk0' }], n: null };
    expect(VmTemplateBody.parse(template)).toEqual({
      CPU: 1,
      MEMORY: 64,
      NIC: { NETWORK: 'lan' },
      LABELS: ['a'],
      OS: [{ BOOT: 'disk0' }],
      N: null,
    });
  });

  it('rounds CPU to hundredths of a core', () => {
    expect(VmTemplateBody.parse({ CPU: 0.126, MEMORY: 1 }).CPU).toBe(0.13);
  });

  it.each([
    [{ CPU: 0.004, MEMORY: 1 }, 'CPU must be at least 0.01'],
    [{ CPU: -1, MEMORY: 1 }, 'CPU must be at least 0.01'],
    [{ CPU: 'much', MEMORY: 1 }, 'CPU must be a number of cores'],
    [{ CPU: '0x2', MEMORY: 1 }, 'CPU must be a number of cores'],
    [{ CPU: 5000, MEMORY: 1 }, 'CPU must be at most 4096'],
    [{ MEMORY: 1 }, 'CPU is required'],
    [{ CPU: 1 }, 'MEMORY is required'],
    [{ CPU: 1, MEMORY: 0 }, 'MEMORY must be at least 1'],
    [{ CPU: 1, MEMORY: '1.5' }, 'MEMORY must be an integer, in MB'],
    [{ CPU: 1, MEMORY: 1, VCPU: 0 }, 'VCPU must be at least 1'],
    [{ CPU: 1, MEMORY: 1, DISK: 'vda' }, 'DISK must be an object or a list of objects'],
    [{ CPU: 1, MEMORY: 1, cpu: 2 }, 'cpu is given twice, in different letter case'],
  ])('refuses %j', (template, issue) => {
    expect(issuesOf(template)).toEqual([issue]);
  });

  it.each([null, 5, 'CPU=1', []])('refuses %j in its place', (template) => {
    expect(VmTemplateBody.safeParse(template).success).toBe(false);
  });
});

describe('changes to a VM template', () => {
  it('need not name what stays', () => {
    expect(VmTemplateChanges.parse({ memory: '128' })).toEqual({ MEMORY: 128 });
    expect(VmTemplateChanges.safeParse({ CPU: 0 }).success).toBe(false);
  });
});
