/** Characters by their codes. */
export type CharacterClass = (code: number) => boolean;

/** A class that is asked often: what is below 128 is looked up. */
export function classOf(is: (character: string) => boolean): CharacterClass {
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => (is(String.fromCharCode(code)) ? 1 : 0));
  return (code) => (code < 128 ? ascii[code] === 1 : is(String.fromCharCode(code)));
}

/** Goes through a text once, character by character, and counts each look: `steps` is the work that a text has caused. */
export class TextScanner {
  position = 0;
  steps = 0;
  /** The line that was last asked for, and where it begins. */
  #known = { line: 1, start: 0 };

  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get length(): number {
    return this.#text.length;
  }

  atEnd(): boolean {
    return this.position >= this.#text.length;
  }

  sees(character: string): boolean {
    this.steps++;
    return this.#text[this.position] === character;
  }

  seesOneOf(isOf: CharacterClass): boolean {
    this.steps++;
    return !this.atEnd() && isOf(this.#text.charCodeAt(this.position));
  }

  /** Whether this character is next; goes on behind it if so. */
  takes(character: string): boolean {
    const is = this.sees(character);
    if (is) this.position++;
    return is;
  }

  /** What is next as long as it is of these, which may be nothing. */
  takeWhile(isOf: CharacterClass): string {
    const start = this.position;
    this.skipWhile(isOf);
    return this.position === start ? '' : this.#text.slice(start, this.position);
  }

  /** Goes on behind what is next as long as it is of these. */
  skipWhile(isOf: CharacterClass): void {
    const start = this.position;
    let end = start;
    while (end < this.#text.length && isOf(this.#text.charCodeAt(end))) end++;
    this.steps += end - start + 1;
    this.position = end;
  }

  textBetween(from: number, to: number): string {
    return this.#text.slice(from, to);
  }

  /** Line and column of a position, counted from 1. In the order of the text, each costs the lines since the one before. */
  placeOf(position: number): { line: number; column: number } {
    let { line, start } = position < this.#known.start ? { line: 1, start: 0 } : this.#known;
    for (let end = this.#find('\n', start); end !== -1 && end < position; end = this.#find('\n', start)) {
      line++;
      start = end + 1;
    }
    this.#known = { line, start };
    return { line, column: position - start + 1 };
  }

  goToLineAfter(position: number): void {
    const end = this.#find('\n', position);
    this.position = end === -1 ? this.#text.length : end + 1;
  }

  #find(character: string, from: number): number {
    const found = this.#text.indexOf(character, from);
    this.steps += (found === -1 ? this.#text.length : found) - from;
    return found;
  }
}
