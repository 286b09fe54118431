/** What nobody sees, or what changes how the rest is shown: format characters (bidirectional marks among them), separators, fillers. */
const unseen = /[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** The same, and the control characters that JSON leaves as they are, though terminals obey them. */
const leftByJson = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** The same with all control characters, and what belongs to nobody or stands for nothing: of these no new name is made. */
const noPartOfNames = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** Control characters but for line breaks and tabs, and what makes one a colour. */
const control = /[^\P{Cc}\n\t](?:\[\d{1,2}m)?/gu;
const escapeCode = '\u001b';

const hexOf = (one: string): string => one.codePointAt(0)?.toString(16) ?? '';
const named = (text: string): string => text.replaceAll(unseen, (one) => `\\u{${hexOf(one)}}`);

/** Whether a text has characters that nobody sees. */
export const hasUnseen = (text: string): boolean => noPartOfNames.test(text);

/** In a line for people: what a guest, a hypervisor or another user has written must not steer the terminal, nor pass for something else. */
export const printable = (text: string): string => named(text.replaceAll(/\p{Cc}/gu, ' '));

/** The same for all that a program writes, of several lines and with its own colours: what no `printable` was thought of for. */
export const printableLines = (text: string): string =>
  named(text.replaceAll(control, (one) => (one.startsWith(escapeCode) && one.length > 1 ? one : ` ${one.slice(1)}`)));

/** JSON text, with what JSON itself leaves as it is and terminals obey written as escapes, which mean the same. */
export const printableJson = (json: string): string =>
  json.replaceAll(leftByJson, (one) =>
    Array.from({ length: one.length }, (_, at) => `\\u${one.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );

/** YAML text, all in quotation marks, in the same way: its escapes name whole characters. */
export const printableYaml = (yaml: string): string =>
  yaml.replaceAll(leftByJson, (one) =>
    one.length > 1 ? `\\U${hexOf(one).padStart(8, '0')}` : `\\u${hexOf(one).padStart(4, '0')}`,
  );
