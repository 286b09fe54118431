import type { Person } from '../../cli/identity/person.js';
import { exitCodeOf, runProgram } from '../../cli/program.js';
import type { Result } from './launch-program.js';

/**
 * `arcus …` in this process: the whole command line but the few lines that join it to a process's streams. To start a
 * process costs more than what most commands do; that it reads what is piped to it, hears Ctrl-C, and ends by itself with
 * its code, is shown where it is one (`launchProgram`). `person`: whoever sits at its terminal.
 */
export async function runArcus(
  args: readonly string[],
  environment: Record<string, string>,
  input = '',
  person: Person | null = null,
): Promise<Result> {
  const { ARCUS_PORT: _port, ARCUS_ENDPOINT: _endpoint, ARCUS_AUTH: _auth, ...inherited } = process.env;
  const printed = { out: '', err: '' };
  const to = (stream: keyof typeof printed) => (text: string) => {
    if (text !== '') printed[stream] += `${text}\n`;
  };
  const surroundings = {
    environment: { ...inherited, ...environment },
    out: to('out'),
    err: to('err'),
    width: () => null,
    ...{ terminal: null, screen: null, person, piped: () => input },
    now: () => new Date(),
  };
  const code = await runProgram(args, surroundings).then(
    () => 0,
    (error: unknown) => exitCodeOf(error, surroundings.err),
  );
  return { code, ...printed };
}
