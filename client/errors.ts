import type { ProblemBody } from '../schemas/common/problem.js';

/** What was asked of whom, without what was sent. `path` is below /api/v1. */
export type Asked = { endpoint: URL; method: string; path: string };

/**
 * Why no answer came. `silent`: nobody is there; `late`: not in the time that was given; `broken_off`: it ended before the
 * answer was whole; `untrusted`: its certificate is not believed; `tls` and `no_tls`: it speaks TLS and was asked without,
 * or the other way round.
 */
export type Reason = 'silent' | 'late' | 'broken_off' | 'untrusted' | 'tls' | 'no_tls';

/** A reason, the words of whoever found it, and whether the request may have been done all the same. */
export type Why = { reason: Reason; words: string; mayHaveArrived: boolean };

/** No whole answer came: nothing is known of what was asked for, unless it cannot have arrived. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  readonly asked: Asked;
  readonly reason: Reason;
  readonly mayHaveArrived: boolean;

  constructor(asked: Asked, { reason, words, mayHaveArrived }: Why, cause: unknown) {
    super(sentences[reason](asked.endpoint, words), { cause });
    this.asked = asked;
    this.reason = reason;
    this.mayHaveArrived = mayHaveArrived;
  }
}

const sentences: Record<Reason, (endpoint: URL, words: string) => string> = {
  silent: ({ origin }) => `Nothing answers at ${origin}.`,
  late: ({ origin }) => `No answer in time from ${origin}.`,
  broken_off: ({ origin }) => `${origin} broke off before its answer was whole.`,
  untrusted: ({ origin }, words) => `The certificate of ${origin} is not to be trusted: ${words}.`,
  tls: ({ host }) => `${host} speaks TLS, and was asked without.`,
  no_tls: ({ host }) => `${host} answers, but does not speak TLS.`,
};

/** The server has answered, and does not do it. `problem` says why; null: what answered is no Arcus, such as a proxy. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly asked: Asked;
  readonly status: number;
  readonly problem: ProblemBody | null;
  /** The kind of problem, such as `not_found`: the last part of its type, which does not change; null: there is none. */
  readonly code: string | null;

  constructor(asked: Asked, status: number, problem: ProblemBody | null) {
    const { endpoint, method, path } = asked;
    super(
      problem
        ? `${method} ${path}: ${[problem.detail, ...(problem.errors ?? []).map(({ pointer, detail }) => `${pointer}: ${detail}`)].join(' ')}`
        : `${endpoint.origin} answered ${status}, and not as an Arcus does.`,
    );
    this.asked = asked;
    this.status = status;
    this.problem = problem;
    this.code = problem ? problem.type.slice(problem.type.lastIndexOf('/') + 1) : null;
  }
}

/** It was done, but what was answered is not of the shape that was expected; no findings: it is not even JSON. */
export class Misunderstood extends Error {
  override readonly name = 'Misunderstood';
  readonly asked: Asked;
  /** What is wrong, each with a JSON pointer into the answer. */
  readonly findings: readonly { pointer: string; detail: string }[];

  constructor(asked: Asked, findings: Misunderstood['findings'], cause?: unknown) {
    super(
      findings.length === 0
        ? `${asked.endpoint.origin} answers, but not as an Arcus does.`
        : `What ${asked.endpoint.origin} answered to ${asked.method} ${asked.path} is not what is expected: ${findings.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; ')}`,
      { cause },
    );
    this.asked = asked;
    this.findings = findings;
  }
}

/** Everything by which a client says that what was asked for was not answered as it should be. */
export type ClientError = Unreachable | Refusal | Misunderstood;
