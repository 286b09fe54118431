/**
 * Whether a text is as a pattern says, by the rules of fnmatch(3) without flags: `*` any characters, `?` one, `[a-z]` and
 * `[!a-z]` one of them or none of them, `\` takes the next character as it is. Never slower than pattern times text.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const parts = partsOf(pattern);
  const characters = Array.from(text);
  let part = 0;
  let at = 0;
  // Where the last * stood, and how far what it stands for has grown: only that one is ever tried again.
  let star = -1;
  let grown = 0;
  while (at < characters.length) {
    const now = parts[part];
    if (now === '*') {
      star = part++;
      grown = at;
    } else if (now?.(characters[at] ?? '')) {
      part++;
      at++;
    } else if (star >= 0) {
      part = star + 1;
      at = ++grown;
    } else return false;
  }
  return parts.slice(part).every((rest) => rest === '*');
}

type Part = '*' | ((character: string) => boolean);

function partsOf(pattern: string): Part[] {
  const characters = Array.from(pattern);
  const parts: Part[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    const bracket = character === '[' ? bracketAt(characters, at) : undefined;
    if (character === '*') parts.push('*');
    else if (character === '?') parts.push(() => true);
    else if (bracket) {
      parts.push(bracket.part);
      at = bracket.end;
    } else {
      const literal = character === '\\' && at + 1 < characters.length ? characters[++at] : character;
      parts.push((other) => other === literal);
    }
  }
  return parts;
}

/** `[…]` from its opening bracket; undefined: it never closes, and the bracket is a character like any other. */
function bracketAt(characters: readonly string[], open: number): { part: Part; end: number } | undefined {
  const isNegated = ['!', '^'].includes(characters[open + 1] ?? '');
  const begin = open + (isNegated ? 2 : 1);
  // A bracket that comes first stands for itself.
  const end = characters.indexOf(']', begin + 1);
  if (end < 0) return undefined;
  const ranges: [low: string, high: string][] = [];
  for (let at = begin; at < end; at++) {
    const low = characters[at] ?? '';
    const isRange = characters[at + 1] === '-' && at + 2 < end;
    ranges.push([low, isRange ? (characters[at + 2] ?? low) : low]);
    if (isRange) at += 2;
  }
  return {
    part: (character) => ranges.some(([low, high]) => low <= character && character <= high) !== isNegated,
    end,
  };
}
