/** A use case as the faces call it: what it works with is given already. */
type Bound<U> = {
  [N in keyof U]: U[N] extends (context: never, ...asked: infer A) => infer R ? (...asked: A) => R : never;
};

/** Use cases are functions of what they work with, and then of what is asked. Gives all of these the first. */
export function bind<C, U extends Record<string, (context: C, ...asked: never[]) => unknown>>(
  context: C,
  useCases: U,
): Bound<U>;
export function bind(
  context: unknown,
  useCases: Record<string, (context: unknown, ...asked: unknown[]) => unknown>,
): Record<string, (...asked: unknown[]) => unknown> {
  return Object.fromEntries(
    Object.entries(useCases).map(([name, useCase]) => [name, (...asked: unknown[]) => useCase(context, ...asked)]),
  );
}
