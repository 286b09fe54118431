import type { OnProgress } from '../port.js';

/** A file that somebody has open, as Node's `FileHandle` is one. */
export type OpenFile = {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  /** `position` null: behind what was written last, or at the end of a file that was opened to append. */
  write(bytes: Uint8Array, offset: number, length: number, position: number | null): Promise<{ bytesWritten: number }>;
  stat(): Promise<{ size: number }>;
  chmod(mode: number): Promise<void>;
  truncate(length: number): Promise<void>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
};
/** As `fopen` has them: `x` is refused with EEXIST where there is one, `a` writes at the end alone. */
export type OpenFlags = 'r' | 'r+' | 'a' | 'ax' | 'wx';

/** What is asked of a file system, with the errors of the system by their codes (`ENOENT`), as Node throws them. */
export type Files = {
  open(path: string, flags: OpenFlags, mode?: number): Promise<OpenFile>;
  readFile(path: string): Promise<string>;
  writeFile(path: string, text: string, how: { mode: number; flag: 'wx' | 'a' }): Promise<void>;
  mkdir(path: string, how: { recursive?: boolean; mode: number }): Promise<void>;
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<{ size: number; mtimeMs: number }>;
  link(path: string, other: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  /** With all that is in it; what is not there is gone already. */
  remove(path: string): Promise<void>;
  realpath(path: string): Promise<string>;
  statfs(path: string): Promise<{ blocks: number; bfree: number; bavail: number; bsize: number }>;
  /** Bytes that files below a directory take on disk, by the way from it; none where there is no directory. */
  allocated(path: string): Promise<Map<string, number>>;
  /**
   * A new file that is as another, made where both are: of shared blocks, where the file system has them. false: nothing is made, and its bytes have
   * to be read and written.
   */
  copyWithin(from: string, to: string, onProgress: OnProgress, signal: AbortSignal): Promise<boolean>;
};

export type Ran = { exitCode: number; stdout: string; stderr: string };
export type Manner = {
  /** It moves as many bytes as there are, of our own making: as long as that takes. */
  moves: boolean;
  /** Hears what it says as it says it. */
  hear?: (text: string) => void;
};

/** Where directories lie and what works on them runs: this machine, or another. */
export type Machine = {
  /** The same of two: what lies on the one lies on the other. */
  key: string;
  /** As people call it: `this machine`. */
  name: string;
  /** Whether it has `prlimit`, as far as anybody knows without asking. */
  bounds: boolean;
  files: Files;
  /** Since when it runs; null: it does not say. */
  boot(): Promise<string | null>;
  /** Runs a program to its end, or until the signal aborts: then it is ended, wherever it runs. undefined: there is none of that name. */
  attempt(program: string, given: readonly string[], signal: AbortSignal, manner: Manner): Promise<Ran | undefined>;
};
