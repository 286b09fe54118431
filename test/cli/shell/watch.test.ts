import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/processes.js';
import { launchOnTerminal, launchProgram } from '../launch-program.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { host, page, service } from '../stub-objects.js';

// `--watch` as people use it: `arcus` as a process, with answers at the pace of the test.

/** Milliseconds that a machine with much else to do may take. */

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
});
afterEach(() => api.stop());

const hosts = 'GET /hosts?limit=1000';
const services = 'GET /services?limit=1000';
const watching = (...args: string[]) => launchProgram('arcus/main.js', args, { environment: api.environment });
const looks = (path: string) => api.asked.filter((asked) => asked.path === path).length;

/** Ends what watches by Ctrl-C when it has printed this. */
async function until(program: ReturnType<typeof watching>, seen: () => boolean) {
  await eventually(seen);
  program.process.kill('SIGINT');
  return program.ended;
}

describe('on a pipe', () => {
  it('adds what has changed, says nothing of what has not, and ends quietly with 130', async () => {
    const [one, two] = [host(0, 'host-1'), host(1, 'host-2')];
    const probed = { ...one, last_monitored_at: '2026-11-22T15:00:00.000Z' };
    api.on(hosts, page(one), page(probed), page(probed, two), page({ ...one, state: 'ERROR' }, two));
    const list = watching('host', 'list', '--watch');
    const { code, out, err } = await until(list, () => list.out().includes('ERROR') && looks('/hosts?limit=1000') > 5);
    expect({ code, err }).toEqual({ code: 130, err: '' });
    expect(out).toMatchInlineSnapshot(`
      "ID  NAME    CLUSTER  HYPERVISOR  VMS  CPU    MEMORY  STATE      HA
       0  host-1        0  simulated     0  0/4  0M/4096M  MONITORED  -
       1  host-2        0  simulated     0  0/4  0M/4096M  MONITORED  -
       0  host-1        0  simulated     0  0/4  0M/4096M  ERROR      -
      "
    `);
  });

  it('tells how what has left a list has ended', async () => {
    const ended = service(1, 'shop', 'DONE', { ended_at: '2026-11-22T14:05:00.000Z' });
    api.on(services, page(service(1, 'shop'), service(2, 'blog')), page());
    api.on('GET /services/1', { body: ended });
    api.on('GET /services/2', problem(404, 'not_found', 'There is no service 2.'));
    const list = watching('service', 'list', '-w');
    const { out, err } = await until(list, () => list.err().includes('service 2 is gone.'));
    expect(out).toMatch(/ 1 {2}oneadmin {2}oneadmin {2}shop {2}DONE .*\n$/);
    expect(err).toBe('service 2 is gone.\n');
  });

  it('prints each object by itself with -o json, yaml and name', async () => {
    api.on(hosts, page(host(0, 'host-1')), page(host(0, 'host-1', 'ERROR')));
    const yaml = watching('host', 'list', '--watch', '-o', 'yaml');
    await until(yaml, () => yaml.out().includes('state: ERROR'));
    expect(yaml.out().match(/^---$/gm)).toHaveLength(2);
    api.on(hosts, page(host(0, 'host-1'), host(1, 'host-2')));
    const names = watching('host', 'list', '--watch', '-o', 'name');
    expect((await until(names, () => names.out().includes('host-2'))).out).toBe('host-1\nhost-2\n');
  });

  it('goes on over a server that is away', async () => {
    api.on(hosts, page(host(0, 'host-1')), 'hang up', 'hang up', page(host(0, 'host-1', 'ERROR')));
    const list = watching('host', 'list', '--watch');
    const { err } = await until(list, () => list.out().includes('ERROR'));
    expect(err.replace(api.endpoint, '<endpoint>')).toBe(
      'Nothing answers at <endpoint>. Waiting for the server.\nThe server answers again.\n',
    );
  });

  it('of one object prints it anew when it has changed, and ends with 3 when it is gone', async () => {
    const gone = problem(404, 'not_found', 'There is no service 1.');
    const asked = [service(1, 'shop', 'DEPLOYING'), service(1, 'shop', 'DEPLOYING'), service(1, 'shop')];
    api.on('GET /services/1', ...asked.map((body) => ({ body })), gone);
    const { code, out, err } = await watching('service', 'show', '1', '--watch').ended;
    expect(code).toBe(3);
    expect(out.match(/SERVICE STATE {3}: \w+/g)).toEqual(['SERVICE STATE   : DEPLOYING', 'SERVICE STATE   : RUNNING']);
    expect(err).toMatch(/^arcus: There is no service 1\.\n/);
  });
});

describe.skipIf(process.platform !== 'linux')('on a terminal, which util-linux makes', () => {
  const onTerminal = (...args: string[]) => launchOnTerminal(args, { columns: 60, environment: api.environment });
  const [taken, givenBack] = ['\u001B[?1049h', '\u001B[?1049l'];

  it.each([
    ['q', 0],
    ['\u0003', 130],
  ])('draws it over until %j, gives the screen back and leaves the last of it', async (key, code) => {
    api.on(hosts, page(host(0, 'host-1')), page(host(0, 'host-1', 'ERROR')));
    const list = onTerminal('host', 'list', '--watch');
    await eventually(() => list.out().includes('ERROR'));
    list.process.stdin?.write(key);
    const result = await list.ended;
    expect(result.code, result.out).toBe(code);
    const [before = '', drawn = ''] = result.out.split(taken);
    const [frames = '', after = ''] = drawn.split(givenBack);
    expect(before).toBe('');
    expect(frames).toContain('arcus host list · ');
    expect(frames.split('\u001B[H').length).toBeGreaterThan(2);
    expect(stripVTControlCharacters(after).split('\r\n')).toEqual([
      'ID  NAME    CLUSTER  HYPERVISOR  VMS  CPU    MEMORY  STATE',
      ' 0  host-1        0  simulated     0  0/4  0M/4096M  ERROR',
      '',
    ]);
  });

  it('shows no more lines than the screen has', async () => {
    api.on(hosts, page(...Array.from({ length: 40 }, (_, id) => host(id, `host-${id}`))));
    const list = onTerminal('host', 'list', '--watch');
    await eventually(() => list.out().includes('more\u001B[K'));
    list.process.stdin?.write('q');
    const { out } = await list.ended;
    const [, frame = ''] = out.split('\u001B[H');
    expect(frame.split('\u001B[J')[0]?.split('\r\n')).toHaveLength(24);
  });

  it('has colours, which NO_COLOR and a pipe leave out', async () => {
    api.on(hosts, page(host(0, 'host-1')));
    expect((await onTerminal('host', 'list').ended).out).toContain('\u001B[32mMONITORED\u001B[39m');
    const environment = { ...api.environment, NO_COLOR: '1' };
    const plain = await launchOnTerminal(['host', 'list'], { columns: 60, environment }).ended;
    expect(plain.out).not.toContain('\u001B[');
    const piped = launchProgram('arcus/main.js', ['host', 'list'], {
      environment: { ...api.environment, FORCE_COLOR: '1' },
    });
    expect((await piped.ended).out).not.toContain('\u001B[');
  });
});
