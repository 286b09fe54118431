import type { Request } from 'express';
import { z } from 'zod';
import type { Admission } from '../../requests/context.js';
import { check } from '../http/findings.js';
import { IdempotencyKey } from '../http/idempotency-key.js';
import { invalid } from '../http/invalid.js';
import { requestId } from '../http/request.js';

/** How a request that starts an operation is known again: by its own id, and by its key if it has one. */
export function admissionOf(request: Request): Admission {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return { requestId: requestId(request) };
  const checked = check(z.object({ 'Idempotency-Key': IdempotencyKey }), { 'Idempotency-Key': key });
  if (!checked.ok) throw invalid(checked.findings);
  return { requestId: requestId(request), idempotencyKey: checked.value['Idempotency-Key'] };
}
