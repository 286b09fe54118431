/** The name that was probably meant, for “did you mean”: one edit for a short word, two for one of six letters or more. */
export function nearestName(wish: string, known: readonly string[]): string | undefined {
  if (wish.length > 100) return undefined;
  const reach = wish.length < 6 ? 1 : 2;
  const close = known
    .filter((name) => Math.abs(name.length - wish.length) <= reach)
    .map((name) => ({ name, edits: edits(wish.toLowerCase(), name.toLowerCase()) }))
    .filter((candidate) => candidate.edits <= reach);
  return close.sort((one, other) => one.edits - other.edits)[0]?.name;
}

/** Letters changed, left out, added, or swapped with their neighbour (optimal string alignment). */
function edits(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const line = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const ways = [at(last, column) + 1, at(line, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1)];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) ways.push(at(beforeLast, column - 2) + 1);
      line.push(Math.min(...ways));
    }
    [beforeLast, last] = [last, line];
  }
  return at(last, to.length);
}

const at = (line: readonly number[], column: number): number => line[column] ?? Number.POSITIVE_INFINITY;
