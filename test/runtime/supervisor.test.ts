import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boundLog } from '../../runtime/processes/bound-log.js';
import { isAlive } from '../../runtime/processes/process-identity.js';
import { Supervisor } from '../../runtime/processes/supervisor.js';
import { ownDirectory } from '../support/directories.js';
import { eventually } from '../support/processes.js';

function newSupervisor() {
  const directory = ownDirectory();
  const lines: string[] = [];
  const supervisor = new Supervisor(join(directory, 'children.json'), join(directory, 'logs'), (line) =>
    lines.push(line),
  );
  return { directory, lines, supervisor };
}

const shell = (name: string, script: string) => ({ name, command: 'sh', args: ['-c', script] });

describe('the supervisor', () => {
  it('starts a process again that dies, later each time, and says why', async () => {
    const { supervisor, lines } = newSupervisor();
    const service = supervisor.start(shell('worker', 'echo up; exit 3'));
    const ups = () => readFileSync(service.log, 'utf8').match(/up/g)?.length ?? 0;
    await eventually(() => service.restarts() >= 2 && ups() >= 3);
    await supervisor.kill();
    expect(lines[0]).toMatch(/^worker ended \(code 3\): starting it again in 0\.2 s, its log is .*worker\.log$/);
    expect(lines[1]).toContain('again in 0.4 s');
  });

  it('starts a process again that was killed', async () => {
    const { supervisor, lines } = newSupervisor();
    const service = supervisor.start(shell('api', 'sleep 600'));
    const first = service.current().pid;
    process.kill(first, 'SIGKILL');
    await eventually(() => service.restarts() === 1);
    expect(service.current().pid).not.toBe(first);
    expect(isAlive(service.current().pid)).toBe(true);
    expect(lines[0]).toContain('api ended (signal SIGKILL)');
    await supervisor.kill();
    expect(isAlive(service.current().pid)).toBe(false);
  });

  it('stops in the order given, and kills what does not heed in its time', async () => {
    const { supervisor, directory } = newSupervisor();
    const trace = join(directory, 'trace');
    const heeding = (name: string) =>
      supervisor.start(
        shell(name, `trap 'echo ${name} >> ${trace}; exit' TERM; echo up; while :; do sleep 0.05; done`),
      );
    const services = [heeding('api'), heeding('MongoDB')];
    const deaf = supervisor.start(shell('Temporal', "trap '' TERM; echo up; while :; do sleep 0.05; done"));
    await eventually(() => [...services, deaf].every(({ log }) => readFileSync(log, 'utf8').includes('up')));
    await supervisor.stop([
      { names: ['api'], patience: 5_000 },
      { names: ['Temporal'], patience: 200 },
      { names: ['MongoDB'], patience: 5_000 },
    ]);
    expect(readFileSync(trace, 'utf8').trim().split('\n')).toEqual(['api', 'MongoDB']);
    for (const service of [...services, deaf]) expect(isAlive(service.current().pid)).toBe(false);
    expect(() => supervisor.start(shell('api', 'sleep 600'))).toThrow('stopping');
  });

  it('bounds a log that a process goes on appending to', () => {
    const file = join(ownDirectory(), 'worker.log');
    writeFileSync(file, 'x'.repeat(11e6));
    boundLog(file);
    expect(statSync(file).size).toBe(0);
    expect(statSync(`${file}.1`).size).toBe(11e6);
  });
});
