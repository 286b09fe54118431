import type { QuotaExceeded } from '../schemas/identity/quota.js';

/**
 * The vocabulary of everything that can go wrong: nothing else says what is retried or which status a client sees.
 * `retryable`: an activity that throws it is tried again; the rest fails at once.
 */
export const problems = {
  invalid_request: { status: 400, retryable: false, title: 'The request is not valid' },
  malformed_body: { status: 400, retryable: false, title: 'The body cannot be read' },
  not_authenticated: { status: 401, retryable: false, title: 'Name and password, or a token, are needed' },
  not_authorized: { status: 403, retryable: false, title: 'You may not do this' },
  not_found: { status: 404, retryable: false, title: 'No such object' },
  method_not_allowed: { status: 405, retryable: false, title: 'This address does not take this method' },
  operation_in_progress: { status: 409, retryable: false, title: 'Another operation is at work on this resource' },
  wrong_state: { status: 409, retryable: false, title: 'Not possible in this state' },
  name_taken: { status: 409, retryable: false, title: 'The name is taken' },
  in_use: { status: 409, retryable: false, title: 'Something else still needs it' },
  quota_exceeded: { status: 409, retryable: false, title: 'A quota does not allow it' },
  idempotency_key_reused: { status: 409, retryable: false, title: 'The idempotency key was used for another request' },
  precondition_failed: { status: 412, retryable: false, title: 'It has been changed meanwhile' },
  protocol_version: { status: 412, retryable: false, title: 'Another version of the protocol is spoken here' },
  body_too_large: { status: 413, retryable: false, title: 'The body is too large' },
  address_too_long: { status: 414, retryable: false, title: 'The address is too long' },
  unsupported_media_type: { status: 415, retryable: false, title: 'This kind of body is not accepted' },
  headers_too_large: { status: 431, retryable: false, title: 'The headers are too large' },
  already_there: { status: 409, retryable: false, title: 'It is there already' },
  too_many_attempts: { status: 429, retryable: false, title: 'Too many logins have failed' },
  internal: { status: 500, retryable: true, title: 'Something went wrong in Arcus' },
  not_implemented: { status: 501, retryable: false, title: 'Arcus cannot do this yet' },
  backend_unavailable: { status: 503, retryable: true, title: 'A backend did not answer' },
  database_unavailable: { status: 503, retryable: true, title: 'The database did not answer' },
  deploy_refused: { status: 502, retryable: false, title: 'The hypervisor refused the VM' },
  destroy_refused: { status: 502, retryable: false, title: 'The hypervisor refused to remove the VM' },
  action_refused: { status: 502, retryable: false, title: 'The hypervisor refused the action' },
  not_fenced: { status: 502, retryable: false, title: 'The host could not be turned off' },
  network_refused: { status: 502, retryable: false, title: 'The host cannot have the network' },
  source_refused: { status: 422, retryable: false, title: 'The source cannot be used' },
  image_refused: { status: 422, retryable: false, title: 'The image is not what it must be' },
  upload_expired: { status: 410, retryable: false, title: 'The upload was given up' },
  checksum_mismatch: { status: 460, retryable: false, title: 'What has arrived is not what was sent' },
  datastore_full: { status: 409, retryable: false, title: 'The datastore has no room' },
  stale_epoch: { status: 409, retryable: false, title: 'A newer operation has taken this VM' },
  taken: { status: 409, retryable: false, title: 'Another operation has taken over' },
  cancelled: { status: 409, retryable: false, title: 'Cancelled' },
  roles_failed: { status: 502, retryable: false, title: 'Not every role got where the operation leads' },
  vm_failed: { status: 502, retryable: false, title: 'The VM failed' },
  run_lost: { status: 500, retryable: false, title: 'The run ended without finishing the operation' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ProblemCode = keyof typeof problems;

export const isProblemCode = (text: string): text is ProblemCode => Object.hasOwn(problems, text);

/** One thing that is wrong, and where: a JSON pointer (RFC 6901) into what was sent. */
export type Finding = { pointer: string; detail: string };

/** What adapters, stores, domain and operations throw. The detail is a sentence for the user; it never holds a secret. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  /** Everything wrong at once, for `invalid_request`. */
  readonly findings: readonly Finding[];
  /** The operation in the way, for `operation_in_progress`. */
  readonly operation: string | undefined;
  /** The quota in the way, for `quota_exceeded`. */
  readonly quota: QuotaExceeded | undefined;
  /** Seconds after which it may be tried again, for `too_many_attempts`. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ProblemCode,
    detail: string,
    options: {
      cause?: unknown;
      findings?: readonly Finding[];
      operation?: string;
      quota?: QuotaExceeded;
      retryAfter?: number;
    } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.findings = options.findings ?? [];
    this.operation = options.operation;
    this.quota = options.quota;
    this.retryAfter = options.retryAfter;
  }
}

/** The first Problem in a chain of causes, or undefined. */
export function problemOf(error: unknown): Problem | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Problem) return at;
  return undefined;
}
