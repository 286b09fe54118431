import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { choosePort } from '../../runtime/processes/ports.js';
import { Supervisor } from '../../runtime/processes/supervisor.js';
import { type AnswerTimes, watchAnswers } from '../../runtime/processes/watch-answers.js';
import { awaitReady, probeHttp } from '../../runtime/servers/await-ready.js';
import { ownDirectory } from '../support/directories.js';
import { eventually } from '../support/processes.js';

/** Answers, and says how often the watched place was answered, until it is asked for a circle in which it turns for ever. */
const script = `
  const [, port, watched] = process.argv;
  let answers = 0;
  require('node:http').createServer(({ url }, response) => {
    if (url === '/circle') for (;;);
    if (url === '/answers') return response.end(String(answers));
    const answer = () => response.writeHead(url === '/broken' ? 503 : 200).end(() => { if (url === watched) answers++; });
    setTimeout(answer, url === '/slow' ? 500 : 0);
  }).listen(Number(port), '127.0.0.1');
`;

async function watchedProcess(path = '/healthz', times: AnswerTimes = { pause: 50, wait: 1_000, misses: 3 }) {
  const directory = ownDirectory();
  const port = await choosePort();
  const lines: string[] = [];
  // One that dies is started at once, whatever was before; only what hangs is remembered.
  const backOff = { forgottenAfter: 0 };
  const say = (line: string) => lines.push(line);
  const supervisor = new Supervisor(join(directory, 'children.json'), join(directory, 'logs'), say, backOff);
  const at = (place: string) => `http://127.0.0.1:${port}${place}`;
  const command = { name: 'api', command: process.execPath, args: ['-e', script, String(port), path] };
  const server = supervisor.start(command, { supervise: false });
  await awaitReady(server.current(), server.log, 60_000, () => probeHttp(at('/')));
  supervisor.keep(server, command);
  const watching = watchAnswers(supervisor, server, at(path), times);
  onTestFinished(async () => {
    await supervisor.kill();
    await watching;
  });
  /** Once it has been heard so often: only who has answered can fall silent. */
  const heard = (times: number) =>
    eventually(async () => {
      const answers = await fetch(at('/answers'))
        .then((response) => response.text())
        .catch(() => '0');
      return Number(answers) >= times;
    });
  await heard(2);
  return { server, lines, at, heard };
}

describe('a process that answers no more is killed and started again, and the log says why:', () => {
  it.each([
    [
      'one that turns in a circle',
      (_pid: number, at: (place: string) => string) => fetch(at('/circle')).catch(() => {}),
    ],
    ['one that was stopped', (pid: number) => process.kill(pid, 'SIGSTOP')],
  ])('%s', async (_name, hang) => {
    const { server, lines, at, heard } = await watchedProcess();
    const hung = server.current().pid;
    void hang(hung, at);
    await eventually(() => server.restarts() === 1);
    expect(server.current().pid).not.toBe(hung);
    expect(lines[0]).toMatch(/^api has not answered for 3 s and was killed: starting it again in 0\.2 s, its log is /);
    await heard(2);
  });

  it('one that hangs again and again is started later each time, and one that only dies is not', async () => {
    const { server, lines, at, heard } = await watchedProcess();
    for (let times = 1; times <= 3; times++) {
      void fetch(at('/circle')).catch(() => {});
      await eventually(() => server.restarts() === times);
      await heard(2);
    }
    process.kill(server.current().pid, 'SIGKILL');
    await eventually(() => server.restarts() === 4);
    const said = lines.map((line) => line.replace(/, its log is .*/, ''));
    expect(said).toEqual([
      ...[0.2, 0.4, 0.8].map((wait) => `api has not answered for 3 s and was killed: starting it again in ${wait} s`),
      'api ended (signal SIGKILL): starting it again in 0.2 s',
    ]);
  });
});

it.each([
  ['slow', '/slow'],
  ['out of order and says so', '/broken'],
])('a process that is %s is left alone', async (_name, path) => {
  const { server, lines, heard } = await watchedProcess(path, { pause: 50, wait: 5_000, misses: 2 });
  await heard(8);
  expect([server.restarts(), lines]).toEqual([0, []]);
});
