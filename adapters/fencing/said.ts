import { brief, longest } from '../../domain/brief.js';

/** What a BMC or a program says of its failure, on one line, short, and without what opens it: some repeat what they were sent. */
export function saidBy(text: string, secrets: readonly string[]): string {
  const hidden = secrets.reduce((left, secret) => left.replaceAll(secret, '…'), text);
  return brief(hidden.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim(), longest.vm);
}
