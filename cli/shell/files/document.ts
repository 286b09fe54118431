/** One document of a file: what is to be there. */
export type Document = {
  /** What it holds; it may be anything. */
  content: unknown;
  /** Where the value at a JSON pointer stands, or what is nearest around it: `shop.yaml:12`. */
  place: (pointer: string) => string;
};

/** Where a text is not what it should be. */
export type FaultyText = { faults: { offset: number; detail: string }[] };
/** The documents of a text; a path has a name or an index a step. */
export type ReadText =
  | { ok: true; documents: { content: unknown; offsetOf: (path: readonly string[]) => number }[] }
  | ({ ok: false } & FaultyText);
