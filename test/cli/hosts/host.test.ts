import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { host, page } from '../stub-objects.js';
import { deployment, operationId } from '../stub-operation.js';

let api: StubApi;
const flush = deployment({
  ...{ type: 'flushHost', state: 'accepted' },
  resource: { type: 'host', id: 0, name: 'host-1', href: '/api/v1/hosts/0' },
});
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /hosts', page(host(0, 'host-1')));
  api.on('POST /hosts/0/flush', { status: 202, body: flush });
});
afterEach(() => api.stop());

const arcus = (...args: string[]) => runArcus(args, api.environment);

describe('arcus host', () => {
  it('flushes a host, also when the server is just being started again', async () => {
    api.on('GET /hosts', 'hang up', 'hang up', page(host(0, 'host-1')));
    const { code, out } = await arcus('host', 'flush', 'host-1');
    expect([code, out]).toEqual([0, expect.stringContaining('flushHost accepted as operation')]);
    expect(api.asked.filter(({ method }) => method === 'POST').map(({ path }) => path)).toEqual(['/hosts/0/flush']);
  });

  it('shows a host by its id, and lists them, also when the server is just being started again', async () => {
    api.on('GET /hosts', 'hang up', page(host(0, 'host-1')));
    api.on('GET /hosts/0', 'hang up', 'hang up', { body: host(0, 'host-1') });
    expect(await arcus('host', 'show', '0')).toMatchObject({ code: 0, out: expect.stringContaining('host-1') });
    expect(await arcus('host', 'list')).toMatchObject({ code: 0, out: expect.stringContaining('host-1') });
  });

  it('imports a wild, by what it is called', async () => {
    const body = { ...flush, type: 'importVm' };
    api.on('POST /hosts/0/import', { status: 202, body });
    const { code, out } = await arcus('host', 'import', 'host-1', 'legacy-db', '--name', 'database');
    expect([code, out]).toEqual([0, expect.stringContaining('importVm accepted as operation')]);
    expect(api.asked.at(-1)?.body).toBe('{"wild":"legacy-db","name":"database"}');
  });

  it('tells of a flush VM by VM', async () => {
    const at = '2026-11-22T14:00:01.000Z';
    const vms = [
      { vm: 41, outcome: 'stays' as const, live: true, operation: null, why: 'there is no other host', at },
      { vm: 40, outcome: 'moved' as const, live: false, operation: operationId, why: 'live: its processor', at },
    ];
    const flushed = { moved: 1, gone: 0, moving: 0, waits: 0, stays: 1, vms };
    api.on(`GET /operations/${operationId}`, { body: { ...flush, flushed } });
    const { out } = await arcus('operation', 'show', operationId);
    expect(out).toContain('VMS: 1 moved, 0 gone, 0 moving, 0 waiting, 1 staying');
    expect(out).toContain('VM 41: stays: there is no other host');
    expect(out).toContain(`VM 40: moved cold, operation ${operationId}: live: its processor`);
  });

  it('says of a flush that was cancelled what goes on', async () => {
    const at = '2026-11-22T14:00:01.000Z';
    const vms = ['op-1', 'op-2'].map((operation, vm) => ({
      ...{ vm, outcome: 'moving' as const, live: true, operation, why: null, at },
    }));
    const flushed = { moved: 0, gone: 0, moving: 2, waits: 0, stays: 0, vms };
    const error = { code: 'cancelled', detail: 'cancelled' };
    api.on(`GET /operations/${operationId}`, { body: { ...flush, state: 'cancelled', error, flushed } });
    const { code, err } = await arcus('operation', 'wait', operationId);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('was cancelled. 2 migrations go on: arcus operation show op-1, op-2.'),
    ]);
    expect((await arcus('operation', 'show', operationId)).out).toMatch(/^ERROR +: cancelled$/m);
  });

  it('says since when one is silent, and when it is asked next; and that there is nothing to remove', async () => {
    const at = '2026-11-22T14:00:20.000Z';
    const silent = {
      ...host(0, 'host-1', 'ERROR'),
      error: 'no route',
      silent_since: '2026-11-22T14:00:00.000Z',
      next_look: at,
    };
    api.on('GET /hosts/0', { body: silent });
    api.on('POST /hosts/0/clean', { body: silent });
    const { out } = await arcus('host', 'show', '0');
    expect(out).toMatch(
      /ERROR +: no route\n[\s\S]*SILENT SINCE +: 2026-11-22T14:00:00.000Z\nNEXT LOOK +: 2026-11-22T14:00:20.000Z/,
    );
    expect((await arcus('host', 'clean', '0', '--yes')).out).toContain('host 0 (host-1): there is nothing to remove.');
  });
});
