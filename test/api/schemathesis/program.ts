import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));

const wanted =
  'Python 3.10 or newer is needed with its modules venv and pip; on Debian: apt-get install python3-venv python3-pip';

/**
 * The Python of a virtual environment that has Schemathesis, made once and kept beside the other fetched programs. It is
 * made under another name first: one that is there is whole. Throws an Error whose message says what to install.
 */
export const schemathesisPython = (): Promise<string> => pythonWith('schemathesis', requirements);

/** The same with what another file of requirements names; `interpreter`: by a path, that of the system. */
export async function pythonWith(
  name: string,
  requirements: string,
  { interpreter = 'python3' } = {},
): Promise<string> {
  const { stdout: version } = await python(['-c', 'import sys, venv; print(sys.version)'], interpreter);
  const key = createHash('sha256').update(readFileSync(requirements)).update(version).digest('hex').slice(0, 16);
  const place = join(process.env.ARCUS_CACHE ?? join(homedir(), '.arcus', 'cache'), `${name}-${key}`);
  if (!existsSync(place)) await make(place, requirements, interpreter);
  return join(place, 'bin', 'python');
}

async function make(place: string, requirements: string, interpreter: string): Promise<void> {
  mkdirSync(dirname(place), { recursive: true });
  const part = mkdtempSync(`${place}-`);
  try {
    // That of the system has what packages of the system bring.
    const options = isAbsolute(interpreter) ? ['--system-site-packages'] : [];
    await python(['-m', 'venv', '--without-pip', ...options, part], interpreter);
    const install = ['install', '--quiet', '--no-deps', '--no-compile', '--disable-pip-version-check'];
    await python(['-m', 'pip', '--python', join(part, 'bin', 'python'), ...install, '-r', requirements]);
    renameSync(part, place);
  } catch (error) {
    // Somebody else may have been first, with the same.
    if (!existsSync(place)) throw error;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

async function python(args: readonly string[], interpreter = 'python3') {
  try {
    return await run(interpreter, [...args]);
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : '';
    throw new Error(`${nameOf(args)} cannot be installed: ${said || 'there is no python3'}. ${wanted}.`, {
      cause: error,
    });
  }
}

/** What is installed, or Schemathesis, of which more is needed. */
const nameOf = (args: readonly string[]): string => {
  const [name = ''] = /seaweedfs|sushy|virtualbmc/.exec(args.at(-1) ?? '') ?? [];
  return { seaweedfs: 'SeaweedFS', sushy: 'sushy-tools', virtualbmc: 'virtualbmc' }[name] ?? 'Schemathesis';
};
