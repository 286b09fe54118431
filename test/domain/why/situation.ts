import type { WhyFacts } from '../../../domain/why/facts.js';

/** Something that somebody asks about: what it is called, and what is. */
export type Situation = [situation: string, facts: WhyFacts];
