const ulid = /[0-9A-HJKMNP-TV-Z]{26}/g;
const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const clock = /\b\d\d:\d\d:\d\dZ/g;
const token = /arcus_([0-9A-Za-z]{8})_[\w-]{43}/g;
const key = /marketapp-\d+-[0-9a-f]{32}/g;
const duration = /less than a second|\b\d+(?:\.\d+)? (?:ms|s|min|h|d)\b/g;

/**
 * Makes answers of different moments comparable without leaving anything out: each time, clock and duration is called
 * just that, and each ULID, run id, token and key of an app gets a number when it is first seen, so that the same one stays the same.
 * The part of a token that is shown has the number of that token.
 */
export class Likeness {
  readonly #names = new Map<string, string>();
  readonly #prefixes = new Map<string, string>();

  of(value: unknown): unknown {
    for (const [text, prefix] of JSON.stringify(value ?? null).matchAll(token)) {
      const name = this.#nameOf(text, 'token');
      if (prefix !== undefined) this.#prefixes.set(prefix, name);
    }
    return this.#of(value);
  }

  #of(value: unknown): unknown {
    if (typeof value === 'string') return this.#text(value);
    if (Array.isArray(value)) return value.map((item) => this.#of(item));
    if (typeof value !== 'object' || value === null) return value;
    const sorted = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(sorted.map(([name, inner]) => [name, this.#of(inner)]));
  }

  /** The very text that is called so here. */
  original(name: string): string {
    for (const [text, given] of this.#names) if (given === name) return text;
    throw new Error(`nothing is called ${name}`);
  }

  #text(text: string): string {
    return (this.#prefixes.get(text) ?? text)
      .replaceAll(token, (found) => this.#nameOf(found, 'token'))
      .replaceAll(ulid, (id) => this.#nameOf(id, 'ULID'))
      .replaceAll(uuid, (id) => this.#nameOf(id, 'UUID'))
      .replaceAll(key, (found) => this.#nameOf(found, 'key'))
      .replaceAll(time, '<time>')
      .replaceAll(clock, '<clock>')
      .replaceAll(duration, '<duration>');
  }

  #nameOf(id: string, kind: string): string {
    const name = this.#names.get(id) ?? `<${kind} ${this.#names.size}>`;
    this.#names.set(id, name);
    return name;
  }
}
