import type { z } from 'zod';
import type { Page } from '../../schemas/common/common.js';

/** What an answer shows: nothing, or an object; of the items of a list perhaps some fields alone. */
type Shown<R> = R extends Page<infer T> ? Page<Partial<T>> : R extends object ? R : null;

/**
 * A request and what it is answered, as the OpenAPI document and the reference show them. A test sends those of the whole
 * table in the order of a story, and compares (test/api/native/examples.test.ts): ids and times are then of that moment, the rest
 * is what stands here.
 */
export type ExampleOf<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R> = {
  /** What it shows, where a route has several. */
  title?: string;
  params?: z.input<P>;
  query?: z.input<Q>;
  body?: z.input<B>;
  /** A body that is text of its own kind, as it is sent. */
  text?: string;
  answer: Shown<R>;
};

/** The same, whatever its route. */
export type Example = {
  title?: string;
  params?: object;
  query?: object;
  body?: unknown;
  text?: string;
  answer: unknown;
};
