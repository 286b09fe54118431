/** Who asks: by name and password, or by a token. */
export type Credentials = { name: string; password: string } | { token: string };

/** The body of a request: its text is sent as it is. */
export type Body = { type: 'application/json' | 'text/plain'; text: string };

/** Bytes as the body of a request: the next ones of an upload. */
export type Bytes = { type: 'application/offset+octet-stream'; text: Uint8Array<ArrayBuffer> };

/** A value as the body of a request. */
export const json = (value: unknown): Body => ({ type: 'application/json', text: JSON.stringify(value) });

/** A text, such as a template in OpenNebula's own notation, as the body of a request. */
export const plain = (text: string): Body => ({ type: 'text/plain', text });

/** The value of the header Authorization. */
export const authorizationOf = (credentials: Credentials): string =>
  'token' in credentials
    ? `Bearer ${credentials.token}`
    : `Basic ${inBase64(`${credentials.name}:${credentials.password}`)}`;

/** Of UTF-8, without what only Node.js has. */
const inBase64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
