import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { imagePrograms } from '../../schemas/storage/image-programs.js';

/** Which programs that images need are not on this PATH, and how they come there; null: all are. */
export function missingImagePrograms(path: string): { found: string; advice: string } | null {
  const places = path.split(delimiter);
  const missing = Object.entries(imagePrograms).filter(
    ([program]) => !places.some((place) => place !== '' && existsSync(join(place, program))),
  );
  if (missing.length === 0) return null;
  const names = missing.map(([program]) => program).join(', ');
  return {
    found: `${names} ${missing.length === 1 ? 'is' : 'are'} not on PATH: without, no images are made`,
    advice: `on Debian: apt-get install ${missing.map(([, debian]) => debian).join(' ')}`,
  };
}
