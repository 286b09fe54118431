import type { Precondition } from './precondition.js';

/** What becomes of what can be edited of an object; `named`: its members that the request is about. */
export type Revised<E> = { wish: E; named: ReadonlySet<string> };

/** An edit of an object: from what it is, what it is to be, or a Problem that says what is wrong with that. */
export type Edit<E> = { revise: (present: E) => Revised<E>; precondition: Precondition };
