import { ensurePrograms } from './programs.js';

/** Sees to it that these shells are there, each a Debian package of the same name. */
export const ensureShells = (...shells: readonly string[]): void =>
  ensurePrograms(Object.fromEntries(shells.map((shell) => [shell, shell])));
