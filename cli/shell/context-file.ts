import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { Complaint } from './complaint.js';
import type { Environment } from './environment.js';

/** Names are typed: letters, digits and what joins them. */
export const ContextName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'must be letters, digits, ., _ and -, beginning with a letter or a digit');

const Password = z.strictObject({ name: z.string().min(1), password: z.string().min(1) });
/** The name is known where the token was made by `arcus login`. */
const Token = z.strictObject({ token: z.string().min(1), name: z.string().min(1).optional() });
const Endpoint = {
  endpoint: z.string().min(1),
  /** A file with authorities to believe over https, besides the known ones. */
  ca: z.string().min(1).optional(),
  /** Of the Arcus of this machine with this home: who names that home in ARCUS_HOME signs in by this context. */
  home: z.string().min(1).optional(),
};

/** A server and who asks there: by name and password, or by a token. */
export const ServerContext = z.union([Password.extend(Endpoint), Token.extend(Endpoint)]);
export type ServerContext = z.infer<typeof ServerContext>;

const ContextFile = z.strictObject({
  current: ContextName.nullable().default(null),
  contexts: z.record(ContextName, ServerContext).default({}),
});
export type ContextFile = z.infer<typeof ContextFile>;

/** Where contexts are kept, by the XDG Base Directory Specification: a relative path there counts as none. */
export function contextPath({ XDG_CONFIG_HOME: given = '' }: Environment): string {
  return join(isAbsolute(given) ? given : join(homedir(), '.config'), 'arcus', 'config.yaml');
}

/** What is in the file; nothing, where there is none. Throws a Complaint when it is not one, or others may read it. */
export function readContexts(path: string): ContextFile {
  const text = contentsOf(path);
  if (text === null) return { current: null, contexts: {} };
  const result = ContextFile.safeParse(parsed(path, text) ?? {});
  if (result.success) return result.data;
  throw new Complaint('usage', `${path} is not a file of contexts.`, {
    findings: result.error.issues.map(({ path: at, message }) => ({ pointer: `/${at.join('/')}`, detail: message })),
    next: 'Correct it, or remove it and make your contexts again with: arcus context create',
  });
}

function contentsOf(path: string): string | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return null;
    throw new Complaint('usage', `${path} cannot be read.`, { cause, next: 'Make it readable to you.' });
  }
  try {
    // Asked of the open file: another one of that name cannot come between.
    const mode = fstatSync(file).mode & 0o777;
    if ((mode & 0o077) !== 0)
      throw new Complaint(
        'not_allowed',
        `${path} holds credentials, and others on this machine may use it: its mode is ${mode.toString(8)}, not 600.`,
        { next: `Close it with: chmod 600 ${path}` },
      );
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return parse(text, { prettyErrors: false });
  } catch (cause) {
    // The parser's own words would repeat a line of the file, which may be a secret.
    throw new Complaint('usage', `${path} is not valid YAML.`, { cause, next: 'Correct it, or remove it.' });
  }
}

/** Puts a new file in the place of the old one, whole, readable to its owner alone. */
export function writeContexts(path: string, contexts: ContextFile): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const target = behindLinks(path);
    const part = `${target}.${randomUUID()}.part`;
    try {
      const file = openSync(part, 'wx', 0o600);
      try {
        writeFileSync(file, stringify(contexts));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      chmodSync(part, 0o600);
      renameSync(part, target);
    } finally {
      rmSync(part, { force: true });
    }
  } catch (cause) {
    throw new Complaint('failure', `${path} cannot be written.`, { cause, next: 'Nothing has been changed.' });
  }
}

/** People keep such files elsewhere, with a link here: the link stays. */
function behindLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
