import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../domain/problems.js';
import { contentsOver, vmContents } from '../../domain/vm-contents.js';
import { VmTemplateBody } from '../../schemas/vm-template.js';

const template: VmTemplateBody = {
  CPU: 1.5,
  MEMORY: 512,
  NIC: { NETWORK: 'lan' },
  CONTEXT: { TOKEN: 'YES' },
  SCHED_REQUIREMENTS: 'ID != 3',
  LOGO: 'web.png',
};

describe('the contents of a VM', () => {
  it('keep apart what OpenNebula acts on and what owner and guest may change', () => {
    expect(vmContents(template)).toEqual({
      template: { CPU: 1.5, MEMORY: 512, NIC: { NETWORK: 'lan' }, CONTEXT: { TOKEN: 'YES' } },
      user_template: { SCHED_REQUIREMENTS: 'ID != 3', LOGO: 'web.png' },
      capacity: { cpu: 150, memory: 512 },
    });
  });

  it('name the service and the role, whatever the template says', () => {
    const { user_template } = vmContents({ ...template, SERVICE_ID: '1' }, { serviceId: 6, roleName: 'web' });
    expect(user_template).toMatchObject({ SERVICE_ID: '6', ROLE_NAME: 'web' });
    expect(vmContents(template).user_template).not.toHaveProperty('SERVICE_ID');
  });

  it('are those of the role over those of the VM template', () => {
    const made = vmContents(template, {
      contents: 'CPU="0.25"\nmemory=64\nNIC=[NETWORK=dmz]\nLOGO=db.png\nMOTTO="a b"',
    });
    expect(made.template).toMatchObject({ CPU: 0.25, MEMORY: 64, NIC: { NETWORK: 'dmz' } });
    expect(made.user_template).toMatchObject({ LOGO: 'db.png', MOTTO: 'a b' });
    expect(made.capacity).toEqual({ cpu: 25, memory: 64 });
  });

  it('keep what the template has beside what the role gives for attributes named in APPEND', () => {
    const made = vmContents(template, { contents: 'APPEND="nic, DISK"\nNIC=[NETWORK=dmz]\nDISK=[IMAGE_ID=1]' });
    expect(made.template).toMatchObject({ NIC: [{ NETWORK: 'lan' }, { NETWORK: 'dmz' }], DISK: { IMAGE_ID: '1' } });
    expect(made.user_template).not.toHaveProperty('APPEND');
  });

  it('leave the template as it was', () => {
    const before = structuredClone(template);
    vmContents(template, { contents: 'CPU=2\nAPPEND=NIC\nNIC=[NETWORK=x]', serviceId: 1, roleName: 'a' });
    expect(template).toEqual(before);
  });

  it.each([
    ['CPU=none', 'CPU must be a number of cores'],
    ['MEMORY=0', 'MEMORY must be at least 1'],
    ['CPU', 'line 1, column 4: expected = after CPU'],
  ])('are refused when the role says %j', (contents, detail) => {
    expect(() => vmContents(template, { contents })).toThrow(
      expect.objectContaining({ code: 'invalid_request', findings: [{ pointer: '', detail }] }),
    );
  });
});

describe('what a VM of a role reserves, worked out from what its contents change,', () => {
  const attribute = fc.constantFrom('CPU', 'MEMORY', 'DISK', 'CONTEXT', 'OWN', 'OTHER');
  const value = fc.constantFrom('1', '"two"', '[A=1]', '[A=1, B="x"]', '""');
  const lines = fc.array(fc.tuple(attribute, value), { maxLength: 5 });
  const appended = fc.subarray(['CPU', 'DISK', 'CONTEXT', 'OWN'], { maxLength: 2 });
  const size = fc.constantFrom(10, 65_300, 65_400, 65_460);

  it('is what comes out of the whole, and refused like that', () => {
    const outcome = (work: () => unknown): unknown => {
      try {
        return work();
      } catch (error) {
        return error instanceof Problem ? error.message.replaceAll(/\d+/g, 'n') : error;
      }
    };
    fc.assert(
      fc.property(lines, appended, size, (changes, append, bytes) => {
        const whole = VmTemplateBody.parse({ CPU: 1, MEMORY: 64, DISK: [{ A: 1 }], OTHER: 'x'.repeat(bytes) });
        const contents = `${changes.map(([name, text]) => `${name}=${text}`).join('\n')}\nAPPEND="${append.join(',')}"`;
        const bySize = outcome(() => contentsOver(whole).capacityWith(contents));
        expect(bySize).toEqual(outcome(() => vmContents(whole, { contents }).capacity));
      }),
    );
  });
});
