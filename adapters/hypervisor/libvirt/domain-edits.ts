import { XMLBuilder } from 'fast-xml-parser';
import type { DomainDevices } from '../../../schemas/operations/vm-devices.js';
import { devicesRecord, recordTree } from './device-record.js';

// What libvirt has written of a domain, edited as text: all else of it stays as it is, to the letter.

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });

/** The definition of the domain in that of a snapshot. */
export function domainOf(snapshot: string): string {
  const end = '</domain>';
  const begins = snapshot.indexOf('<domain ');
  return begins === -1 ? '' : snapshot.slice(begins, snapshot.indexOf(end, begins) + end.length);
}

/** The epoch under which it was last reverted; 0: never. */
export function revertedIn(definition: string): number {
  const [, marked = ''] = definition.split('<arcus:vm ');
  const [, epoch = '0'] = / reverted=["'](\d{1,15})["']/.exec(marked.slice(0, marked.indexOf('>'))) ?? [];
  return Number(epoch);
}

/** A definition of then that is reverted to under an epoch, with what is written of its devices now. */
export function underRevert(definition: string, epoch: number, devices: DomainDevices): string {
  const marked = eachElement(definition, 'arcus:vm', (attributes) => {
    const others = attributes
      .replace(/ reverted=["']\d{1,15}["']/, '')
      .replace(/\/$/, '')
      .trimEnd();
    return `<arcus:vm ${others} reverted='${epoch}'/>`;
  });
  const { uri, key } = devicesRecord;
  const name = `${key}:devices`;
  const record: string = builder.build({ [name]: { [`@xmlns:${key}`]: uri, ...recordTree(devices) } });
  return eachElement(marked, name, () => record);
}

/** Elements of this name that have nothing in them, each as it is to be; `attributes`: of it, up to its end. */
function eachElement(text: string, name: string, edit: (attributes: string) => string): string {
  const [first = '', ...rest] = text.split(`<${name} `);
  return [
    first,
    ...rest.map((part) => {
      const end = part.indexOf('>');
      return `${edit(part.slice(0, end))}${part.slice(end + 1)}`;
    }),
  ].join('');
}

/** A definition whose guest is booted by these files, where it is booted by such; what is told to them stays. */
export function underBoot(definition: string, boot: { kernel: string; ramdisk?: string } | undefined): string {
  if (!boot) return definition;
  const of = (name: string, path: string): string => builder.build({ [name]: path });
  const { kernel, ramdisk } = boot;
  const booted = definition.replace(/<kernel>[^<]*<\/kernel>/, () => of('kernel', kernel));
  return ramdisk === undefined ? booted : booted.replace(/<initrd>[^<]*<\/initrd>/, () => of('initrd', ramdisk));
}
