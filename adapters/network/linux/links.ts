import { z } from 'zod';
import { Problem } from '../../../domain/problems.js';
import { isOwnMac, type Tag, tagIn } from './names.js';

const Shown = z.object({
  ifindex: z.int(),
  ifname: z.string(),
  flags: z.array(z.string()),
  mtu: z.int(),
  master: z.string().optional(),
  /** The card that a VLAN goes over. */
  link: z.string().nullable().optional(),
  address: z.string().optional(),
  altnames: z.array(z.string()).optional(),
  linkinfo: z
    .object({
      info_kind: z.string().optional(),
      info_data: z
        .object({
          id: z.int().optional(),
          link: z.string().optional(),
          protocol: z.string().optional(),
          nf_call_iptables: z.int().optional(),
          nf_call_ip6tables: z.int().optional(),
        })
        .optional(),
    })
    .optional(),
});

/** A device of a host. */
export type Link = {
  index: number;
  name: string;
  kind: string;
  up: boolean;
  mtu: number;
  mac: string;
  /** The bridge that it is in. */
  master: string | null;
  /** The card that it goes over. */
  under: string | null;
  /** The number of a VLAN or a VXLAN. */
  number: number | null;
  /** Whether what passes a bridge comes by `inet` chains. */
  filtered: boolean;
  names: string[];
  /** Made here, for a network. */
  own: boolean;
  tags: Tag[];
};

/** What `ip -json -details link show` says. */
export function linksIn(text: string): Link[] {
  const shown = z.array(Shown).safeParse(parsed(text));
  if (!shown.success)
    throw new Problem('backend_unavailable', 'ip answers in a way that is not known here.', { cause: shown.error });
  return shown.data.map(({ linkinfo: { info_kind, info_data } = {}, ...link }) => ({
    ...{ index: link.ifindex, name: link.ifname, kind: info_kind ?? '', mtu: link.mtu, mac: link.address ?? '' },
    ...{ up: link.flags.includes('UP'), master: link.master ?? null, under: link.link ?? info_data?.link ?? null },
    ...{ number: info_data?.id ?? null, names: link.altnames ?? [] },
    filtered: info_data?.nf_call_iptables === 1 && info_data.nf_call_ip6tables === 1,
    ...{ own: isOwnMac(link.address ?? ''), tags: (link.altnames ?? []).flatMap((name) => tagIn(name) ?? []) },
  }));
}

function parsed(text: string): unknown {
  try {
    // Nothing at all is what `ip` shows of no devices.
    return text.trim() === '' ? [] : JSON.parse(text);
  } catch {
    return undefined;
  }
}
