/** A secret as it is kept: under which key, and in `box` nonce, what was sealed, and the tag, in Base64. */
export type Sealed = { key: string; box: string };
