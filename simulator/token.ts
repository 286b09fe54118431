import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RequestHandler } from 'express';
import { Refusal } from './refusal.js';

export const tokenFile = (directory: string): string => join(directory, 'token');

/** The token of the simulator of a directory: made once, whole or not at all, for its owner's eyes only. */
export function ensureToken(directory: string): string {
  const file = tokenFile(directory);
  const own = `${file}.${process.pid}`;
  try {
    const opened = openSync(own, 'w', 0o600);
    try {
      writeFileSync(opened, `${randomBytes(24).toString('base64url')}\n`);
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    linkSync(own, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(own, { force: true });
  }
  chmodSync(file, 0o600);
  return readFileSync(file, 'utf8').trim();
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Refuses whoever does not bring the token, before anything of the request is read. How long that takes tells nothing of it. */
export function demandToken(token: string): RequestHandler {
  const wanted = digest(`Bearer ${token}`);
  return (request, response, next) => {
    if (timingSafeEqual(wanted, digest(request.headers.authorization ?? ''))) return next();
    response.setHeader('WWW-Authenticate', 'Bearer');
    throw new Refusal(
      'unauthorized',
      'The simulator asks for its token: set ARCUS_SIMULATOR_TOKEN, or ARCUS_SIMULATOR_TOKEN_FILE to the file “token” in its directory.',
    );
  };
}
