import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RefusalBody } from '../../schemas/hosts/simulator.js';
import { SimulatorProcess } from '../support/simulator-process.js';

const deploy = {
  vm: 1,
  domain: 'one-1',
  epoch: 1,
  host: { cpu: 100, memory: 1000 },
  capacity: { cpu: 10, memory: 10 },
  labels: { vm: 1 },
};

/** Method, path, body, and a word that the sentence must hold. */
const bad: [string, string, unknown, string][] = [
  ['POST', '/hosts/h/deploy', undefined, 'expected object'],
  ['POST', '/hosts/h/deploy', '{"vm":', 'JSON'],
  ['POST', '/hosts/h/deploy', '[]', 'expected object'],
  ['POST', '/hosts/h/deploy', '"text"', 'JSON'],
  ['POST', '/hosts/h/deploy', { ...deploy, vm: -1 }, 'vm'],
  ['POST', '/hosts/h/deploy', { ...deploy, vm: '1' }, 'vm'],
  ['POST', '/hosts/h/deploy', { ...deploy, epoch: 1.5 }, 'epoch'],
  ['POST', '/hosts/h/deploy', { ...deploy, domain: '' }, 'domain'],
  ['POST', '/hosts/h/deploy', { ...deploy, capacity: { cpu: 10 } }, 'capacity.memory'],
  ['POST', '/hosts/h/deploy', { ...deploy, surprise: true }, 'surprise'],
  ['POST', '/hosts/h/destroy', { ...deploy, hard: 'yes' }, 'hard'],
  ['POST', '/hosts/h/probe', { host: { cpu: -1, memory: 1 } }, 'host.cpu'],
  ['POST', '/hosts/%00/probe', { host: { cpu: 1, memory: 1 } }, 'control characters'],
  ['POST', '/hosts/%zz/probe', { host: { cpu: 1, memory: 1 } }, '%'],
  ['PUT', '/hosts/h', { cpu: 1 }, 'memory'],
  ['PUT', '/hosts/known/faults', { error_rate: 2 }, 'error_rate'],
  ['PUT', '/hosts/known/faults', { hnag: true }, 'hnag'],
  ['PUT', '/hosts/known/faults', { lose: 'all' }, 'lose'],
  ['PUT', '/hosts/known/vms/x', { state: 'stopped' }, 'expected number'],
  ['PUT', '/hosts/known/vms/1', { state: 'asleep' }, 'state'],
  ['PUT', '/settings', { boot_ms: { min: 5, max: 1 } }, 'boot_ms'],
  ['PUT', '/settings', { boot: 5 }, 'boot'],
  ['PUT', '/load', { role: 'worker' }, 'cpu_percent'],
  ['PUT', '/load', { cpu_percent: 101 }, 'cpu_percent'],
  ['DELETE', '/load/x', undefined, 'expected number'],
  ['GET', '/journal?after=x', undefined, 'after'],
  ['GET', '/journal?limit=0', undefined, 'limit'],
  ['GET', '/journal?vn=1', undefined, 'vn'],
];

describe('a request that is not valid', () => {
  let simulator: SimulatorProcess;
  const refused = async (method: string, path: string, body: unknown) => {
    const answer = await simulator.send(method, path, body);
    return { status: answer.status, ...RefusalBody.parse(answer.body) };
  };

  beforeAll(async () => {
    simulator = await SimulatorProcess.start();
    await simulator.send('PUT', '/hosts/known', { cpu: 100, memory: 100 });
  });
  afterAll(() => simulator.dispose());

  it.each(bad)('%s %s %j is refused with 400 and a sentence', async (method, path, body, word) => {
    const { status, detail } = await refused(method, path, body);
    expect(status).toBe(400);
    expect(detail).toContain(word);
    expect(detail).toMatch(/^[A-Z].*\.$/s);
  });

  it('is refused with 404 for what is not there', async () => {
    for (const [method, path, body] of [
      ['GET', '/hosts/nowhere', undefined],
      ['PUT', '/hosts/nowhere/faults', {}],
      ['PUT', '/hosts/known/vms/77', { state: 'stopped' }],
      ['GET', '/nothing', undefined],
    ] as const) {
      expect(await refused(method, path, body), path).toMatchObject({ status: 404, code: 'not_found' });
    }
  });

  it('is refused with 413 when it is huge', async () => {
    const body = { ...deploy, domain: 'x'.repeat(2_000_000) };
    expect(await refused('POST', '/hosts/h/deploy', body)).toMatchObject({ status: 413, code: 'body_too_large' });
  });

  it('is refused with 403 when a page of another site sends it, or a name that is not ours was asked', async () => {
    const asked = (headers: Record<string, string>, method = 'PUT') =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = request(`${simulator.url}/settings`, { method, headers }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        sent.once('error', reject).end();
      });
    for (const Origin of ['http://evil.example', 'null']) expect(await asked({ Origin }), Origin).toBe(403);
    expect(await asked({ 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
    expect(await asked({ Host: 'rebound.evil.example' }, 'GET')).toBe(403);
    expect(await asked({ Host: `localhost:${new URL(simulator.url).port}` }, 'GET')).not.toBe(403);
    expect(await asked({ Origin: simulator.url })).not.toBe(403);
  });

  it('leaves nothing behind', async () => {
    expect(await simulator.journal()).toEqual([]);
    expect((await simulator.send('GET', '/hosts')).body).toMatchObject({ items: [{ name: 'known' }] });
  });
});
