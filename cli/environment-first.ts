import type { Context } from './command.js';

/** The environment goes before the file of contexts: who chooses one there should hear of it. */
export function warnOfEnvironment({ environment, err }: Context): void {
  const before = ['ARCUS_ENDPOINT', 'ARCUS_AUTH', 'ARCUS_HOME', 'ARCUS_PORT'].filter((name) => environment[name]);
  const go = before.length === 1 ? 'goes' : 'go';
  if (before.length > 0) err(`${before.join(', ')} of the environment ${go} before it; see: arcus context current`);
}
