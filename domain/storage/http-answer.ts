/** What counts of an answer of HTTP; headers as they came. */
export type HttpAnswer = {
  status: number;
  location?: string | undefined;
  etag?: string | undefined;
  lastModified?: string | undefined;
  date?: string | undefined;
  contentLength?: string | undefined;
  contentRange?: string | undefined;
  contentEncoding?: string | undefined;
  chunked: boolean;
};

export type Judged =
  | { is: 'bytes'; offset: number; total: number | null }
  /** There is nothing behind what was there already. */
  | { is: 'complete' }
  /** From the beginning: what it offers does not fit what is there. */
  | { is: 'again' }
  | { is: 'elsewhere'; to: string }
  | { is: 'refused'; why: string }
  | { is: 'away'; why: string };

const moved = new Set([301, 302, 303, 307, 308]);
/** Of the client's own, what is the server's state of mind: too slow, too early, too many. */
const passing = new Set([408, 425, 429]);

/** What an answer to a request means that asked for what is behind `offset`, if it was still what it had been (RFC 9110, 13.1.5 and 14). */
export function judgeAnswer(answer: HttpAnswer, asked: { offset: number; version: string | null }): Judged {
  const { status } = answer;
  const going = asked.offset > 0 && asked.version !== null;
  if (moved.has(status))
    return answer.location === undefined
      ? { is: 'refused', why: 'leads on without saying where' }
      : { is: 'elsewhere', to: answer.location };
  if (status === 416 && going) {
    const [, total] = /^bytes \*\/(\d{1,15})$/.exec(answer.contentRange ?? '') ?? [];
    return Number(total) === asked.offset ? { is: 'complete' } : { is: 'again' };
  }
  if (status >= 500 || passing.has(status)) return { is: 'away', why: `answers ${status}` };
  if (status !== 200 && status !== 206) return { is: 'refused', why: `answers ${status}` };
  if (answer.contentEncoding !== undefined && answer.contentEncoding !== 'identity')
    return { is: 'refused', why: 'packs what it sends on its own account (Content-Encoding)' };
  const length = lengthOf(answer.contentLength);
  if (length === undefined && !answer.chunked)
    return { is: 'refused', why: 'does not say how much it sends, so nobody would see when it is cut off' };
  if (status === 200) return { is: 'bytes', offset: 0, total: length ?? null };
  if (!going) return { is: 'away', why: 'sends a part that nobody asked for' };
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(answer.contentRange ?? '');
  if (range === null || Number(range[1]) !== asked.offset) return { is: 'again' };
  if (validatorOf(answer) !== null && validatorOf(answer) !== asked.version) return { is: 'again' };
  // A part that ends before the whole does would be taken for all of it.
  const total = range[3] === '*' ? null : Number(range[3]);
  if (total !== null && Number(range[2]) + 1 !== total) return { is: 'again' };
  return { is: 'bytes', offset: asked.offset, total };
}

const lengthOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/**
 * By what a server tells that something is still the same, strongly: an entity tag that is not weak, or a time of change that was more than a second ago
 * (RFC 9110, 8.8.2.2). null: it does not.
 */
export function validatorOf({ etag, lastModified, date }: HttpAnswer): string | null {
  if (etag?.startsWith('"') === true) return etag;
  if (lastModified === undefined || date === undefined) return null;
  return Date.parse(date) - Date.parse(lastModified) > 1_000 ? lastModified : null;
}
