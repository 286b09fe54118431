import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { service } from '../stub-objects.js';
import { deployment, operationId } from '../stub-operation.js';

let api: StubApi;
const accepted = deployment({ type: 'performOnRole', role: 'web', state: 'accepted' });
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /services', { body: { items: [service(12, 'shop')], next_cursor: null } });
  api.on('POST /services/12/roles/web/actions', { status: 202, body: accepted });
});
afterEach(() => api.stop());

const arcus = (...args: string[]) => runArcus(args, api.environment);
const sent = () => api.asked.flatMap(({ method, path, body }) => (method === 'POST' ? [[path, JSON.parse(body)]] : []));

describe('arcus service action', () => {
  it('asks it of the VMs of a role, all at once or some at a time', async () => {
    const { code, out } = await arcus('service', 'action', 'shop', 'web', 'resume');
    expect(code).toBe(0);
    expect(out).toContain('performOnRole accepted as operation');
    await arcus('service', 'action', '12', 'web', 'terminate-hard', '--number', '2', '--period', '60');
    expect(sent()).toEqual([
      ['/services/12/roles/web/actions', { action: 'resume' }],
      ['/services/12/roles/web/actions', { action: 'terminate-hard', number: 2, period: 60 }],
    ]);
  });

  it('asks it of every VM of the service, when that is said and no role', async () => {
    api.on('POST /services/12/actions', { status: 202, body: accepted });
    expect((await arcus('service', 'action', 'shop', 'recreate', '--all-roles', '--number', '3')).code).toBe(0);
    expect(sent()).toEqual([['/services/12/actions', { action: 'recreate', number: 3 }]]);
    for (const words of [['terminate'], ['web', 'terminate', '--all-roles'], ['web', 'db', 'terminate']]) {
      const { code, err } = await arcus('service', 'action', '12', ...words);
      expect([code, err], words.join(' ')).toEqual([2, expect.stringMatching(/role/)]);
    }
    expect(sent()).toHaveLength(1);
  });

  it('sends nothing for what cannot be done, and says what can', async () => {
    const { code, err } = await arcus('service', 'action', '12', 'web', 'explode');
    expect(code).toBe(2);
    expect(err).toContain('"explode" is nothing that can be done to VMs of a role');
    expect(err).toContain('terminate, terminate-hard, resume, recreate');
    expect(api.asked).toEqual([]);
  });

  it('is told of VM by VM where the operation is shown', async () => {
    const at = '2026-11-22T14:00:01.000Z';
    const vms = [
      { vm: 41, outcome: 'refused' as const, operation: null, why: 'VM 41 runs.', at },
      { vm: 40, outcome: 'asked' as const, operation: '01KAJ3V5Q0F8T4X2M7N9P6R1SD', why: null, at },
    ];
    const performed = { action: 'resume' as const, number: 1, period: 60, asked: 1, refused: 1, gone: 0, left: 3, vms };
    api.on(`GET /operations/${operationId}`, { body: { ...accepted, performed } });
    const { out } = await arcus('operation', 'show', operationId);
    expect(out).toContain('RESUME: 1 asked, 1 refused, 0 gone, 3 left');
    expect(out).toContain('VM 41: refused: VM 41 runs.');
    expect(out).toContain('VM 40: asked, operation 01KAJ3V5Q0F8T4X2M7N9P6R1SD');
  });
});
