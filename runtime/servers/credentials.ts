import { readFileSync } from 'node:fs';
import { generatedSign } from '../../schemas/identity/user.js';
import { ensureSecret, randomSecret } from '../home/secret-file.js';
import { Obstacle } from '../processes/obstacle.js';

export type Credentials = { name: string; password: string };

/** Reads `name:password`. Throws an Obstacle when the file holds something else. */
export function readCredentials(file: string): Credentials {
  const [, name, password] = /^([^:\s]+):(\S+)\s*$/.exec(readFileSync(file, 'utf8')) ?? [];
  if (name === undefined || password === undefined)
    throw new Obstacle(`${file} does not hold name:password: put the right line there, or remove it on a new home`);
  return { name, password };
}

/** The administrator's credentials: those in the file, or a random password written there once, for its owner's eyes only. */
export function ensureCredentials(file: string): Credentials {
  ensureSecret(file, () => `oneadmin:${generatedSign}${randomSecret(18)}`);
  return readCredentials(file);
}
