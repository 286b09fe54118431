import { Problem, type ProblemCode } from '../../../domain/problems.js';
import { limits } from '../../../schemas/common/limits.js';

/** What libvirt says, in words of ours where a reader would not know what to do of its own. The first that matches. */
const told: readonly [RegExp, string][] = [
  [/Cannot access storage file '([^']*)'/, 'a file that it needs cannot be opened'],
  [/Cannot access backing file/, 'the image that a disk stands on is not there'],
  [/Failed to get "write" lock|Failed to get shared "write" lock/, 'another process has one of its disks open'],
  [/cannot set up guest memory|Cannot allocate memory/, 'the host has not the memory for it'],
  [/No space left on device/, 'the host has no room on its disk'],
  [
    /unable to find any (firmware to satisfy|master var store for loader)|Could not open '[^']{1,300}\.fd'/i,
    'the host has no such firmware (OS/FIRMWARE): on Debian, apt-get install ovmf',
  ],
  [/Permission denied|Operation not permitted|access denied/i, 'the host does not let Arcus do this'],
  [/KVM is not available|could not find capabilities/i, 'the host cannot run guests of its kind'],
];

/** A refusal that trying again does not mend, in one sentence. */
export function refusal(code: ProblemCode, what: string, said: string): Problem {
  const [, words] = told.find(([pattern]) => pattern.test(said)) ?? [];
  const own = said.slice(0, limits.quoted.most);
  return new Problem(code, words === undefined ? `${what}: ${own}.` : `${what}: ${words} (${own}).`);
}

export const isMissing = (said: string): boolean =>
  /failed to get domain|Domain not found|no domain with matching/i.test(said);
