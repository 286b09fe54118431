import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { askLibvirt } from './ask-libvirt.js';

const Capabilities = z.object({
  capabilities: z.object({
    host: z.object({
      secmodel: z
        .array(
          z.object({
            model: z.string(),
            baselabel: z.array(z.object({ '#text': z.string() })).optional(),
          }),
        )
        .default([]),
    }),
  }),
});
const parser = new XMLParser({
  ...{ ignoreAttributes: false, parseTagValue: false, isArray: (name: string) => /^(secmodel|baselabel)$/.test(name) },
});

/** What keeps guests of a libvirt from reading what Arcus makes for them; null: nothing does; `silent`: it does not answer. */
export async function strangersAt(uri: string): Promise<{ found: string; advice: string } | 'silent' | null> {
  const capabilities = await askLibvirt(uri, 'capabilities');
  if (capabilities === null) return 'silent';
  const user = guestUserIn(capabilities);
  if (user === null || user === process.getuid?.()) return null;
  return {
    found: `guests of ${uri} run as user ${user}, who may not read the home`,
    advice:
      'start Arcus as an ordinary user, whose own libvirt is used, or have /etc/libvirt/qemu.conf say user = "root" and group = "root", and: systemctl restart libvirtd',
  };
}

/** As whom guests run, as libvirt says it (`+64055:+64055`). The home is closed to others: somebody else could not read disks there. */
function guestUserIn(capabilities: string): number | null {
  const found = Capabilities.safeParse(parser.parse(capabilities)).data?.capabilities.host.secmodel ?? [];
  const label = found.find(({ model }) => model === 'dac')?.baselabel?.[0]?.['#text'];
  const [, user] = /^\+(\d+):/.exec(label ?? '') ?? [];
  return user === undefined ? null : Number(user);
}
