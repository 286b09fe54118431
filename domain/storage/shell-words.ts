/** Words that no shell makes anything of. */
const plain = /^[A-Za-z0-9_%+,./:=@-]+$/;

/**
 * Words as one text that a POSIX shell reads as these words again, whatever is in them. There is none that has a NUL in it: no program can be given one.
 */
export function shellText(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

function quoted(word: string): string {
  if (word.includes('\0')) throw new TypeError('No word of a command has a NUL in it.');
  if (plain.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}
