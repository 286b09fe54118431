/** Prose is hard to read in longer lines. */
const longest = 100;

/** A paragraph in lines that fit a terminal, each behind `indent`; as it is, in one line, where `width` is null. */
export function wrapped(text: string, width: number | null, indent = ''): string {
  if (width === null) return indent + text;
  const room = Math.max(20, Math.min(width, longest) - indent.length);
  const lines: string[] = [];
  for (const word of text.split(/ +/)) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.map((line) => indent + line).join('\n');
}
