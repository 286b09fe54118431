import { z } from 'zod';

/** What a URI may say to virsh beside where it leads: nothing that runs programs here, or that takes a host for another. */
const parameters = ['socket', 'keyfile', 'known_hosts'] as const;

/** Where a libvirt is: of this machine, over a socket, over ssh or TLS. libvirt’s own URIs (libvirt.org/uri.html), of QEMU. */
export const LibvirtUri = z
  .string()
  .max(500)
  .regex(/^[\x21-\x7e]+$/, 'must be printable, without spaces')
  .superRefine((text, context) => {
    const issue = (message: string) => context.addIssue({ code: 'custom', message, input: text });
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !/^qemu(\+(unix|ssh|tls))?:$/.test(url.protocol))
      return issue('must be a URI of QEMU, such as qemu+ssh://arcus@host-1/system');
    if (url.pathname !== '/system' && url.pathname !== '/session') return issue('must end with /system or /session');
    if (url.password !== '') return issue('must have no password: ssh goes by keys');
    for (const name of url.searchParams.keys())
      if (!parameters.some((known) => known === name))
        return issue(`must have no parameter "${name}": there are ${parameters.join(', ')}`);
    if (/^qemu\+(ssh|tls):$/.test(url.protocol) && url.hostname === '') return issue('must name a host');
    return undefined;
  })
  .describe('Where its libvirt is, as virsh is told it: qemu:///system, qemu+ssh://arcus@host-1/system');

/** How a host of libvirt is reached, and how guests run there. */
export const LibvirtPlace = z.strictObject({
  uri: LibvirtUri,
  virt_type: z
    .enum(['kvm', 'qemu'])
    .default('kvm')
    .describe('How guests run: kvm, on the processor; qemu: QEMU does what a processor does, slowly'),
  directory: z
    .string()
    .max(500)
    .regex(/^(?:\/[A-Za-z0-9._+@:,~-]+)+$/, 'must be an absolute path')
    .default('/var/lib/libvirt/arcus')
    .describe('On the host, of Arcus alone: CD-ROMs with the context of VMs, and which of them may start'),
  address: z
    .string()
    .max(253)
    .regex(/^([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])$/, 'must be a name or an address')
    .optional()
    .describe('By which other hosts reach it when VMs are migrated to it; absent: as it calls itself'),
});
export type LibvirtPlace = z.output<typeof LibvirtPlace>;
