/** `a service`, `an operation`; `user` is spoken with a consonant. */
export const withArticle = (noun: string): string => `${/^[aeio]/.test(noun) ? 'an' : 'a'} ${noun}`;
