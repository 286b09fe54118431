import { XMLBuilder, XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { DomainDevices } from '../../../schemas/operations/vm-devices.js';

/** By what libvirt keeps it of a domain what its devices are to Arcus: an element of a namespace of its own. */
export const devicesRecord = { uri: 'urn:arcus:devices:1', key: 'arcus-devices' } as const;

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });
const parser = new XMLParser({
  ...{ ignoreAttributes: false, attributeNamePrefix: '@', parseTagValue: false, parseAttributeValue: false },
  isArray: (name) => name === 'disk' || name === 'interface',
});

export const recordTree = (devices: DomainDevices) => ({ '@is': JSON.stringify(devices) });
export const recordXml = (devices: DomainDevices): string => builder.build({ devices: recordTree(devices) });

/** The name by which libvirt, and QEMU, know a device of ours (`ua-` is what names of users begin with). */
export const aliasOf = (kind: 'disk' | 'nic', id: number): string => `ua-${kind}-${id}`;

const element = `${devicesRecord.key}:devices`;
const Device = z.object({ alias: z.object({ '@name': z.string() }).optional() });
const Definition = z.object({
  domain: z.object({
    metadata: z.object({ [element]: z.object({ '@is': z.string() }).optional() }).optional(),
    devices: z.object({ disk: z.array(Device).optional(), interface: z.array(Device).optional() }),
  }),
});
type Definition = z.output<typeof Definition>;

/** All that is written of a domain's devices, whether they are there or not. */
export const writtenIn = (definition: string): DomainDevices => written(parsed(definition));

/**
 * What a domain has, of its definition: the aliases of its devices say which are there, and its metadata what they are. What is written of
 * one that is not there was to be attached, or has been taken away.
 */
export function devicesIn(definition: string): DomainDevices {
  const found = parsed(definition);
  const { disk = [], interface: nic = [] } = found?.domain.devices ?? {};
  const there = new Set([...disk, ...nic].map(({ alias }) => alias?.['@name']));
  const { nics, disks } = written(found);
  return {
    nics: nics.filter(({ nic_id }) => there.has(aliasOf('nic', nic_id))),
    // Of one without a file the domain has nothing to show.
    disks: disks.filter(({ disk_id, path }) => path === undefined || there.has(aliasOf('disk', disk_id))),
  };
}

function parsed(definition: string): Definition | undefined {
  if (/<!DOCTYPE/i.test(definition)) return undefined;
  return Definition.safeParse(parser.parse(definition)).data;
}

function written(found: Definition | undefined): DomainDevices {
  const text = found?.domain.metadata?.[element]?.['@is'];
  const devices = DomainDevices.safeParse(text === undefined ? undefined : JSON.parse(text));
  return devices.data ?? { nics: [], disks: [] };
}
