import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { Complaint } from './complaint.js';
import { textOf } from './files/text-of.js';

export const caOption = [
  '--ca <file>',
  'authorities to believe over https at this server, besides the known ones; PEM',
] as const;

/** The file, as it can be found from anywhere. Throws a Complaint where it holds no certificate. */
export function authoritiesIn(file: string): string {
  const next = 'Give a file with the certificate of the authority, PEM. Nothing has been changed.';
  const text = textOf(file, { next });
  try {
    new X509Certificate(text);
  } catch (cause) {
    throw new Complaint('usage', `${file} holds no certificate.`, { cause, next });
  }
  return resolve(file);
}
