import type { Answer, Sftp } from './sftp.js';
import { type Ask, answers, type Extension, type Reader, statuses, text } from './sftp-packets.js';

/** An error of the system on the other machine, with its code, as Node has them. */
export const systemError = (code: string, what: string): Error =>
  Object.assign(new Error(`${what} on the other machine: ${code}`), { code });

/** A status that says no more than that it failed. Why, somebody has to find out. */
export class Unexplained extends Error {}

const codes: Readonly<Record<number, string>> = {
  [statuses.missing]: 'ENOENT',
  [statuses.denied]: 'EACCES',
  [statuses.malformed]: 'EINVAL',
  [statuses.unsupported]: 'ENOSYS',
};

/** Throws what a status says, unless it says that it is done. `eof`: that there is no more is no fault. */
export function succeeded(what: string, { kind, body }: Answer): void {
  const status = kind === answers.status ? body.u32() : statuses.failure;
  if (status === statuses.ok || status === statuses.eof) return;
  const code = codes[status];
  throw code === undefined ? new Unexplained(what) : systemError(code, what);
}

/** What an answer of this kind has in it; null: there is no more. */
export function expected(what: string, kind: number, answer: Answer): Reader | null {
  if (answer.kind === kind) return answer.body;
  succeeded(what, answer);
  return null;
}

export const extended = (sftp: Sftp, extension: Extension, ...body: Buffer[]): Promise<Answer> =>
  sftp.ask('extended', text(extension), ...body);

export async function done(sftp: Sftp, ask: Ask, ...body: Buffer[]): Promise<void> {
  succeeded(ask, await sftp.ask(ask, ...body));
}
