/** Things in portions, in their order: so many each, the last one what is left. */
export function portionsOf<T>(things: readonly T[], most: number): T[][] {
  const portions: T[][] = [];
  for (let at = 0; at < things.length; at += most) portions.push(things.slice(at, at + most));
  return portions;
}
