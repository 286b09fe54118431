import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { imagePrograms, sshPrograms } from '../../schemas/storage/image-programs.js';

type Missing = { found: string; advice: string };

/** Which programs that images need are not on this PATH, and how they come there; null: all are. */
export const missingImagePrograms = (path: string): Missing | null =>
  missingOf(imagePrograms, path, 'without, no images are made');

/** The same of those that reach datastores on other machines. */
export const missingSshPrograms = (path: string): Missing | null =>
  missingOf(sshPrograms, path, 'without, no datastore of kind ssh is reached');

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
