/** Format characters (bidirectional marks among them) and fillers: what they do to a line cannot be seen in it. */
const unseen = /[\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;

/** What a guest, a hypervisor or another user has written must not steer the terminal, nor pass for something else. */
export const printable = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, ' ').replaceAll(unseen, (one) => `\\u{${one.codePointAt(0)?.toString(16) ?? ''}}`);

/** JSON text, with what JSON itself leaves as it is and terminals obey written as escapes, which mean the same. */
export const printableJson = (json: string): string =>
  json.replaceAll(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (one) =>
    Array.from({ length: one.length }, (_, at) => `\\u${one.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
