import { Problem } from '../../../domain/problems.js';
import { decoded } from '../../http/json-text.js';

const names: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * The method of a call by XML-RPC, and its first parameter, which is a text: in OpenNebula the session. Reads no more of
 * XML than that. A document type, and with it every entity that somebody could declare, is refused.
 */
export function readCall(bytes: Buffer): { method: string; session: string } {
  const text = decoded(bytes);
  if (text.includes('<!')) throw unreadable('it must have no document type, comments or CDATA');
  const method = between(text, '<methodName>', '</methodName>', 0);
  const value = between(text, '<value>', '</value>', text.indexOf('<param>'));
  const session = value.startsWith('<string>') ? between(value, '<string>', '</string>', 0) : value;
  if (session.includes('<')) throw unreadable('its first parameter must be a text');
  return { method: plain(method), session: plain(session) };
}

function between(text: string, opening: string, closing: string, from: number): string {
  const start = from === -1 ? -1 : text.indexOf(opening, from);
  const end = start === -1 ? -1 : text.indexOf(closing, start);
  if (end === -1) throw unreadable(`it has no ${opening}…${closing} where one is needed`);
  return text.slice(start + opening.length, end);
}

/** With what stands for signs that XML has for itself. */
const plain = (text: string): string =>
  text.trim().replace(/&(#x[\da-fA-F]{1,6}|#\d{1,7}|\w{1,8});/g, (whole, name: string) => {
    if (!name.startsWith('#')) return names[name] ?? whole;
    const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

const unreadable = (why: string): Problem =>
  new Problem('malformed_body', `The body is no call by XML-RPC that can be read: ${why}.`);
