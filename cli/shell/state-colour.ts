import pc from 'picocolors';

/** The library by itself would also colour what a CI system, or a script, reads from a pipe. */
const colours = pc.createColors(process.stdout.isTTY === true && !process.env.NO_COLOR);

/** A state in green, red or yellow; plain where there is no terminal or NO_COLOR is set. */
export function stateText(state: string): string {
  if (/^(RUNNING|MONITORED|succeeded)$/.test(state)) return colours.green(state);
  if (/FAIL|ERROR|UNKNOWN|WARNING|^(failed|cancelled)$/.test(state)) return colours.red(state);
  return /^(DONE|DISABLED|OFFLINE)$/.test(state) ? colours.dim(state) : colours.yellow(state);
}
