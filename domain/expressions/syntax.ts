/** What an attribute of a host can be. A list is what OpenNebula calls a multi-valued path. */
export type Scalar = string | number;
export type AttributeValue = Scalar | readonly Scalar[];

export type Comparison = { kind: 'compare'; name: string; op: '=' | '!=' | '<' | '>' | '@>'; value: Scalar };

/** As written: a level of & and | stands flat, for there are two ways of reading it. */
export type Chain = { first: Term; rest: { op: '&' | '|'; term: Term }[] };
export type Term = Comparison | { kind: 'not'; of: Term } | { kind: 'group'; chain: Chain };

/** As read. An `and` of nothing is the empty expression, which every host meets; other joints have two parts or more. */
export type Requirement = Comparison | { kind: 'not'; of: Requirement } | { kind: 'and' | 'or'; of: Requirement[] };

export type Rank =
  | { kind: 'number'; value: number }
  | { kind: 'name'; name: string }
  | { kind: 'negate'; of: Rank }
  | { kind: 'arithmetic'; op: '+' | '-' | '*' | '/'; left: Rank; right: Rank };
