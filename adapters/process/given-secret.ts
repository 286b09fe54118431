import { readFileSync } from 'node:fs';

/** A secret that is a setting, or the file that another setting names. Undefined when neither is set; throws when the file cannot be read. */
export const givenSecret = (value: string | undefined, file: string | undefined): string | undefined =>
  value ?? (file === undefined ? undefined : readFileSync(file, 'utf8').trim());
