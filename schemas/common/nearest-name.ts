/** Longer ones are not looked for: nobody mistypes them, and each costs their product with every name. */
const longest = 100;

/** The name that was probably meant, for “did you mean”: one edit for a word of five letters, two for longer ones. */
export function nearestName(wish: string, known: Iterable<string>): string | undefined {
  if (wish.length > longest) return undefined;
  const word = wish.toLowerCase();
  let reach = Math.min(2, Math.max(1, Math.floor(wish.length / 3)));
  let nearest: string | undefined;
  for (const name of known) {
    if (reach < 0) break;
    if (Math.abs(name.length - wish.length) > reach) continue;
    const edits = editsBetween(word, name.toLowerCase(), reach);
    if (edits > reach) continue;
    nearest = name;
    reach = edits - 1;
  }
  return nearest;
}

/**
 * Letters changed, left out, added, or swapped with their neighbour (optimal string alignment). What is more than `most` is
 * not counted to its end.
 */
function editsBetween(from: string, to: string, most: number): number {
  let beforeLast = new Uint8Array(to.length + 1);
  let last = Uint8Array.from({ length: to.length + 1 }, (_, at) => at);
  let line = new Uint8Array(to.length + 1);
  for (let row = 1; row <= from.length; row++) {
    line[0] = row;
    let [before, least] = [row, row];
    const [letter, letterBefore] = [from.charCodeAt(row - 1), from.charCodeAt(row - 2)];
    for (let column = 1; column <= to.length; column++) {
      const other = to.charCodeAt(column - 1);
      before = Math.min((last[column - 1] ?? 0) + (letter === other ? 0 : 1), (last[column] ?? 0) + 1, before + 1);
      if (row > 1 && column > 1 && letter === to.charCodeAt(column - 2) && letterBefore === other)
        before = Math.min(before, (beforeLast[column - 2] ?? 0) + 1);
      line[column] = before;
      if (before < least) least = before;
    }
    // A swap reaches over one line: two in a row that are too far end it.
    if (least > most + 1) return least;
    [beforeLast, last, line] = [last, line, beforeLast];
  }
  return last.at(-1) ?? 0;
}
