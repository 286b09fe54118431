import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beyond, measureVmTemplate } from '../../../domain/bounds.js';
import { Problem } from '../../../domain/problems.js';
import { parseTemplateText } from '../../../domain/template-text.js';
import { sizeWith, vmContents } from '../../../domain/vms/vm-contents.js';
import { VmTemplateBody } from '../../../schemas/vms/vm-template.js';

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
      nics: [{ nic_id: 0, network: 'lan' }],
      device_ids: { nic: 1, disk: 0 },
      scheduled: [],
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

describe('what comes out of a role’s contents, worked out from what they change,', () => {
  const attribute = fc.constantFrom('CPU', 'MEMORY', 'VCPU', 'DISK', 'CONTEXT', 'OWN', 'OTHER');
  const value = fc.constantFrom('1', '"two"', '[IMAGE=a]', '[IMAGE=a, B="x"]', '""');
  const lines = fc.array(fc.tuple(attribute, value), { maxLength: 5 });
  const appended = fc.subarray(['CPU', 'DISK', 'CONTEXT', 'OWN'], { maxLength: 2 });
  const size = fc.constantFrom(10, 65_300, 65_400, 65_440, 65_460);

  /** The same from the whole, judged and measured as a template that somebody sends. */
  function ofTheWhole(template: VmTemplateBody, contents: string): VmTemplateBody | 'refused' {
    const parsed = parseTemplateText(contents);
    if (!parsed.ok) return 'refused';
    const { APPEND, ...attributes } = parsed.value;
    const joined = new Set(String(APPEND).split(','));
    const changes = Object.entries(attributes).map(([name, one]): [string, unknown] => [
      name,
      joined.has(name) && Object.hasOwn(template, name) ? [template[name], one].flat() : one,
    ]);
    const whole = VmTemplateBody.safeParse({ ...template, ...Object.fromEntries(changes) });
    return whole.success && beyond(measureVmTemplate(whole.data, '')).length === 0 ? whole.data : 'refused';
  }

  it('is what comes out of the whole, and refused like that', () => {
    const orRefused = <T>(work: () => T): T | 'refused' => {
      try {
        return work();
      } catch (error) {
        if (error instanceof Problem) return 'refused';
        throw error;
      }
    };
    fc.assert(
      fc.property(lines, appended, size, (changes, append, bytes) => {
        const template = VmTemplateBody.parse({ CPU: 1, MEMORY: 64, DISK: [{ IMAGE: 'b' }], OTHER: 'x'.repeat(bytes) });
        const contents = `${changes.map(([name, text]) => `${name}=${text}`).join('\n')}\nAPPEND="${append.join(',')}"`;
        const whole = ofTheWhole(template, contents);
        const made = orRefused(() => vmContents(template, { contents }));
        expect(made === 'refused' ? made : { ...made.template, ...made.user_template }).toEqual(whole);
        const reserved = whole === 'refused' ? whole : { cpu: Math.round(whole.CPU * 100), memory: whole.MEMORY };
        expect(made === 'refused' ? made : made.capacity).toEqual(reserved);
        expect(orRefused(() => sizeWith(template, contents).capacity)).toEqual(reserved);
      }),
    );
  });
});
