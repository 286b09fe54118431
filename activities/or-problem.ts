import { type Problem, problemOf, problems } from '../domain/problems.js';

/** What cannot be, and would not be if it were tried again, as a value. */
export const orProblem = async <T>(work: Promise<T>): Promise<T | Problem> =>
  work.catch((error: unknown) => {
    const problem = problemOf(error);
    if (!problem || problems[problem.code].retryable) throw error;
    return problem;
  });
