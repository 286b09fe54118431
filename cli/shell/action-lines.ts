import { printable } from '../../schemas/common/printable.js';
import type { NextAction } from '../../schemas/operations/next-action.js';

/**
 * Commands to be copied, one a line, each with what it does as a comment: beside it where the terminal is wide enough,
 * else above it. `width` is null where there is no terminal.
 */
export function actionLines(actions: readonly NextAction[], width: number | null): string {
  const longest = Math.max(0, ...actions.map(({ command }) => command.length));
  const beside = actions.map(({ command, description }) => `  ${command.padEnd(longest)}  # ${description}`);
  const fits = width === null || beside.every((line) => line.length <= width);
  const lines = fits ? beside : actions.flatMap(({ command, description }) => [`  # ${description}`, `  ${command}`]);
  return lines.map(printable).join('\n');
}
