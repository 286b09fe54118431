import { readFileSync } from 'node:fs';

type Environment = Readonly<Record<string, string | undefined>>;

/** The token that the environment gives, itself or in a file, or undefined. Throws when that file cannot be read. */
export function givenToken({ ARCUS_SIMULATOR_TOKEN: token, ARCUS_SIMULATOR_TOKEN_FILE: file }: Environment) {
  if (token !== undefined && token !== '') return token;
  return file === undefined || file === '' ? undefined : readFileSync(file, 'utf8').trim();
}
