import { type ChildProcess, spawn } from 'node:child_process';
import { built } from '../../adapters/process/checkout.js';

export type Result = { code: number | null; out: string; err: string };
export type Options = { input?: string; environment?: Record<string, string> };
export type Program = { process: ChildProcess; out: () => string; err: () => string; ended: Promise<Result> };

/** A compiled program of this checkout as a process, with nothing of this environment that says where an Arcus is. */
export const launchProgram = (module: string, args: readonly string[], options: Options): Program =>
  run(process.execPath, [built(module), ...args], options);

type OnTerminal = { columns: number; environment?: Record<string, string> };

/**
 * `arcus …` on a pseudo-terminal of util-linux's `script`, `columns` wide. What the screen is sent, both streams of it, is
 * `out`; keys are written to `process.stdin`.
 */
export const launchOnTerminal = (args: readonly string[], options: OnTerminal): Program =>
  launchShell([process.execPath, built('arcus/main.js'), ...args].map((word) => `'${word}'`).join(' '), options);

/** Any command of a shell on such a terminal: another shell, say, for people to type into. */
export function launchShell(command: string, { columns, environment = {} }: OnTerminal): Program {
  const script = ['-qefc', `stty cols ${columns} rows 24; exec ${command}`, '/dev/null'];
  return run('script', script, { environment: { TERM: 'xterm-256color', SHELL: '/bin/sh', ...environment } }, true);
}

function run(command: string, args: readonly string[], { input, environment }: Options, keysFollow = false): Program {
  const { ARCUS_PORT: _port, ARCUS_ENDPOINT: _endpoint, ARCUS_AUTH: _auth, ...inherited } = process.env;
  const child = spawn(command, args, { env: { ...inherited, ...environment } });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk;
  });
  child.stdin.on('error', () => {});
  if (!keysFollow) child.stdin.end(input ?? '');
  const ended = new Promise<Result>((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }));
  });
  return { process: child, out: () => out, err: () => err, ended };
}
