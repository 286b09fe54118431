import { execa } from 'execa';
import { Problem } from '../../../domain/problems.js';
import { limits } from '../../../schemas/common/limits.js';
import { imagePrograms } from '../../../schemas/storage/image-programs.js';
import { feed } from './feed.js';

/** Programs that read what is packed and write what is in it, and how much memory each may take. */
const filters = {
  bzip2: ['--decompress', '--stdout', '--quiet'],
  xz: ['--decompress', '--stdout', '--quiet', '--format=xz', '--memlimit-decompress=256MiB', '--threads=1'],
  zstd: ['--decompress', '--stdout', '--quiet', '--no-progress', '--memory=256MB'],
} as const satisfies Partial<Record<keyof typeof imagePrograms, readonly string[]>>;
export type Filter = keyof typeof filters;

/** Nothing of our own environment: options that somebody has set there would be options of these. */
export const plainEnvironment = { extendEnv: false, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' } } as const;

/** Unpacks by the system's program. It is ended when nobody reads any more. */
export async function* runFilter(name: Filter, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const program = execa(name, filters[name], {
    ...plainEnvironment,
    ...{ stdin: 'pipe', stdout: 'pipe', stderr: 'pipe', encoding: 'buffer', buffer: { stdout: false, stderr: true } },
    ...{ maxBuffer: limits.quoted.most, reject: false, forceKillAfterDelay: 1_000 },
  });
  let fault: Error | undefined;
  // Without somebody who hears it, a program that is not there would end this process.
  program.stdin.on('error', () => {});
  const fed = feed(source, program.stdin).then((its) => {
    fault = its;
  });
  let read = false;
  try {
    for await (const chunk of program.stdout) yield chunk;
    read = true;
  } finally {
    if (!read) program.kill('SIGKILL');
    await Promise.all([fed, program.catch(() => {})]);
  }
  const { exitCode, code, isTerminated } = await program;
  if (code === 'ENOENT')
    throw new Problem(
      'backend_unavailable',
      `${name} is not installed on this machine: it unpacks images. On Debian: apt-get install ${imagePrograms[name]}.`,
    );
  if (isTerminated) throw new Problem('backend_unavailable', `${name} was ended from outside.`);
  // What was to be unpacked could not be read: of what came of it nothing counts.
  if (fault !== undefined) throw fault;
  if (exitCode !== 0) throw new Problem('image_refused', `What it is packed in (${name}) is damaged or cut off.`);
}
