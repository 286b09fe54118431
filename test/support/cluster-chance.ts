import { chance } from '../../simulator/chance.js';

/** Numbers from 0 to 1 that are the same for the same seed, which is printed, and which the environment may set. */
export function seeded(variable: string): () => number {
  const seed = Number(process.env[variable] ?? Math.floor(Math.random() * 2 ** 31));
  console.error(`${variable}=${seed}`);
  let nth = 0;
  return () => chance(seed, nth++);
}
