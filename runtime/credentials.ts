import { chmodSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { generatePassword } from '../operations/passwords.js';
import { Obstacle, systemCode } from './obstacle.js';

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
  const own = `${file}.${process.pid}`;
  try {
    writeFileSync(own, `oneadmin:${generatePassword()}\n`, { mode: 0o600 });
    linkSync(own, file);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(own, { force: true });
  }
  chmodSync(file, 0o600);
  return readCredentials(file);
}
