import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ipmiPrograms } from '../../schemas/hosts/ipmi-programs.js';
import { guestPrograms, libvirtHostPrograms, libvirtPrograms } from '../../schemas/hosts/libvirt-programs.js';
import { imagePrograms, sshPrograms } from '../../schemas/storage/image-programs.js';

export type Missing = { found: string; advice: string };

/** Which programs that images need are not on this PATH, and how they come there; null: all are. */
export const missingImagePrograms = (path: string): Missing | null =>
  missingOf(imagePrograms, path, 'without, no images are made');

/** The same of those that reach datastores on other machines. */
export const missingSshPrograms = (path: string): Missing | null =>
  missingOf(sshPrograms, path, 'without, no datastore of kind ssh is reached');

/** The same of those that turn hosts off by IPMI. */
export const missingIpmiPrograms = (path: string): Missing | null =>
  missingOf(ipmiPrograms, path, 'without, no host is turned off by IPMI');

/** The same of those that drive hosts of libvirt. */
export const missingLibvirtPrograms = (path: string): Missing | null =>
  missingOf(libvirtPrograms, path, 'without, no hosts of libvirt are driven');

/** The same of those by which this machine is a host of libvirt itself. */
export const missingHostPrograms = (path: string): Missing | null =>
  missingOf({ ...libvirtPrograms, ...libvirtHostPrograms }, asRoot(path), 'without, no guests run on this machine');

/** The same of those of which the sample's guest is made. */
export const missingGuestPrograms = (path: string): Missing | null =>
  missingOf(guestPrograms, asRoot(path), 'without, no guest is made for the sample');

/** Where root finds programs, and others often do not look. */
const asRoot = (path: string): string => [path, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter);

/** `programs`: each with the package of Debian that has it. */
function missingOf(programs: Readonly<Record<string, string>>, path: string, without: string): Missing | null {
  const places = path.split(delimiter);
  const missing = Object.entries(programs).filter(
    ([program]) => !places.some((place) => place !== '' && existsSync(join(place, program))),
  );
  if (missing.length === 0) return null;
  const names = missing.map(([program]) => program).join(', ');
  return {
    found: `${names} ${missing.length === 1 ? 'is' : 'are'} not on PATH: ${without}`,
    advice: `on Debian: apt-get install ${[...new Set(missing.map(([, debian]) => debian))].join(' ')}`,
  };
}
