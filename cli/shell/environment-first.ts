import { resolve } from 'node:path';
import type { Context } from './command.js';
import type { ServerContext } from './context-file.js';

/** The environment goes before the file of contexts: who chooses one there should hear of it. */
export function warnOfEnvironment({ environment, err }: Context, { home }: Pick<ServerContext, 'home'>): void {
  const isOfHome = home !== undefined && environment.ARCUS_HOME && home === resolve(environment.ARCUS_HOME);
  const before = ['ARCUS_ENDPOINT', 'ARCUS_AUTH', 'ARCUS_HOME', 'ARCUS_PORT'].filter(
    (name) => environment[name] && !(isOfHome && name === 'ARCUS_HOME'),
  );
  const go = before.length === 1 ? 'goes' : 'go';
  if (before.length > 0) err(`${before.join(', ')} of the environment ${go} before it; see: arcus context current`);
}
