import { Problem, type ProblemCode } from '../problems.js';
import type { Work } from './facts.js';

/** Why something is not done, for whoever asked for it. */
export type Refusal = {
  code: Extract<ProblemCode, 'wrong_state' | 'operation_in_progress' | 'not_found'>;
  detail: string;
  operation?: string;
};

/** may: it is done. is so: it is that way already, and asking again changes nothing. */
export type Verdict = 'may' | 'is so' | Refusal;

export const wrongState = (detail: string): Refusal => ({ code: 'wrong_state', detail });

export const notFound = (what: string): Refusal => ({ code: 'not_found', detail: `There is no ${what}.` });

/** `detail` names the operation and says what can be done instead. */
export const inTheWay = ({ op }: Work, detail: string): Refusal => ({
  code: 'operation_in_progress',
  detail,
  operation: op,
});

export const problemFor = ({ code, detail, operation }: Refusal): Problem =>
  new Problem(code, detail, operation === undefined ? {} : { operation });
