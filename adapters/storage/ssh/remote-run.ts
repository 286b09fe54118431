import { shellText } from '../../../domain/storage/shell-words.js';

/**
 * What the other machine is told to run: the program, and beside it somebody who waits for its input to end, which it does when whoever asked is gone, by an
 * abort, a kill or a cut line. Then the program is ended: nothing works there for nobody.
 */
const watched = `export LC_ALL=C
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{ read -r _ <&3; kill -KILL "$program"; } >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$program"
code=$?
kill "$watch" 2>/dev/null
exit "$code"`;

export const remoteCommand = (program: string, given: readonly string[]): string =>
  shellText(['sh', '-c', watched, 'sh', program, ...given]);

/** What a shell says of a program: there is none of that name, or it may not be run. */
export const isMissing = (exitCode: number): boolean => exitCode === 127 || exitCode === 126;

/** A signal that ended a program, which a shell adds to this. */
const signalled = 128;
/** ABRT, TRAP, SEGV and XCPU: it wanted more of memory or time than it may have. */
const exhausted: ReadonlySet<number> = new Set([6, 5, 11, 24].map((signal) => signalled + signal));
export const isExhausted = (exitCode: number): boolean => exhausted.has(exitCode);
export const isKilled = (exitCode: number): boolean => exitCode > signalled && exitCode < 192 && !isExhausted(exitCode);

/** What ssh itself fails with; none of the programs that are run does. */
export const unreached = 255;
