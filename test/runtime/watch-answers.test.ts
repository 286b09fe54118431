import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { awaitReady, probeHttp } from '../../runtime/await-ready.js';
import { choosePort } from '../../runtime/ports.js';
import { Supervisor } from '../../runtime/supervisor.js';
import { watchAnswers } from '../../runtime/watch-answers.js';
import { ownDirectory } from '../support/directories.js';
import { eventually } from '../support/processes.js';

/** Answers, until it is asked for a circle in which it turns for ever, or to be slow. */
const script = `
  const [, port] = process.argv;
  require('node:http').createServer((request, response) => {
    if (request.url === '/circle') for (;;);
    setTimeout(() => response.writeHead(request.url === '/broken' ? 503 : 200).end(), request.url === '/slow' ? 700 : 0);
  }).listen(Number(port), '127.0.0.1');
`;

async function watchedProcess(path = '/healthz') {
  const directory = ownDirectory();
  const port = await choosePort();
  const lines: string[] = [];
  const supervisor = new Supervisor(join(directory, 'children.json'), join(directory, 'logs'), (line) =>
    lines.push(line),
  );
  const at = (place: string) => `http://127.0.0.1:${port}${place}`;
  const command = { name: 'api', command: process.execPath, args: ['-e', script, String(port)] };
  const server = supervisor.start(command, { supervise: false });
  await awaitReady(server.current(), server.log, 60_000, () => probeHttp(at('/')));
  supervisor.keep(server, command);
  const watching = watchAnswers(supervisor, server, at(path), { pause: 50, wait: 1_000, misses: 3 });
  onTestFinished(async () => {
    await supervisor.kill();
    await watching;
  });
  // Only who has answered can fall silent.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  return { server, lines, at };
}

describe('a process that answers no more is killed and started again, and the log says why:', () => {
  it.each([
    [
      'one that turns in a circle',
      (_pid: number, at: (place: string) => string) => fetch(at('/circle')).catch(() => {}),
    ],
    ['one that was stopped', (pid: number) => process.kill(pid, 'SIGSTOP')],
  ])('%s', async (_name, hang) => {
    const { server, lines, at } = await watchedProcess();
    const hung = server.current().pid;
    void hang(hung, at);
    await eventually(() => server.restarts() === 1, 60_000);
    expect(server.current().pid).not.toBe(hung);
    expect(lines[0]).toMatch(/^api has not answered for 3 s and was killed: starting it again in 0\.2 s, its log is /);
    await eventually(
      () =>
        probeHttp(at('/')).then(
          () => true,
          () => false,
        ),
      60_000,
    );
  });
});

it.each([
  ['slow', '/slow'],
  ['out of order and says so', '/broken'],
])('a process that is %s is left alone', async (_name, path) => {
  const { server, lines } = await watchedProcess(path);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect([server.restarts(), lines]).toEqual([0, []]);
});
