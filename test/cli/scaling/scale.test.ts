import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { service } from '../stub-objects.js';
import { deployment } from '../stub-operation.js';

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /services', { body: { items: [service(12, 'shop')], next_cursor: null } });
  api.on('POST /services/12/roles/web/scale', {
    status: 202,
    body: deployment({ type: 'scaleRole', role: 'web', state: 'accepted' }),
  });
});
afterEach(() => api.stop());

const arcus = (...args: string[]) => runArcus(args, api.environment);
const sent = () => api.asked.flatMap(({ method, path, body }) => (method === 'POST' ? [[path, JSON.parse(body)]] : []));

describe('arcus service scale', () => {
  it('asks for so many VMs of a role of a service by its name', async () => {
    const { code, out } = await arcus('service', 'scale', 'shop', 'web', '5');
    expect(code).toBe(0);
    expect(out).toContain('scaleRole accepted as operation');
    expect(sent()).toEqual([['/services/12/roles/web/scale', { cardinality: 5 }]]);
  });

  it('says by --force that it may go beyond what the role allows', async () => {
    await arcus('service', 'scale', '12', 'web', '20', '--force');
    expect(sent()).toEqual([['/services/12/roles/web/scale', { cardinality: 20, force: true }]]);
  });

  it.each(['five', '-1', '2.5', ''])('sends nothing for “%s”, which is no number of VMs', async (cardinality) => {
    const { code, err } = await arcus('service', 'scale', '12', 'web', '--', cardinality);
    expect(code).toBe(2);
    expect(err).toContain('is not a number of VMs');
    expect(api.asked).toEqual([]);
  });

  it('is seen where the service is shown: until when a role rests, and who is at work on another', async () => {
    const [web] = service(12, 'shop').roles;
    const roles = [
      { ...web, state: 'COOLDOWN', cooldown_until: '2026-11-22T14:05:00.000Z', min_vms: 1, max_vms: 4 },
      { ...web, name: 'db', state: 'SCALING', operation: '01KAJ3V5Q0F8T4X2M7N9P6R1SC' },
    ];
    api.on('GET /services/12', { body: service(12, 'shop', 'SCALING', { roles }) });
    const { out } = await arcus('service', 'show', '12');
    for (const line of [
      /MIN VMS +: 1/,
      /MAX VMS +: 4/,
      /COOLDOWN UNTIL +: 2026-11-22T14:05:00/,
      /OPERATION +: 01KAJ3V5/,
    ])
      expect(out).toMatch(line);
  });
});
