import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pausedScheduleOfWeb, schedulesOfWeb } from '../../../api/native/scaling/schedules-examples.js';
import { ownDirectory } from '../../support/directories.js';
import { runArcus } from '../run-arcus.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { service } from '../stub-objects.js';

const path = '/services/12/roles/web/schedules';
const at = '2999-11-28T12:00:00.000Z';

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /services', { body: { items: [service(12, 'shop')], next_cursor: null } });
  api.on(`GET ${path}`, { body: pausedScheduleOfWeb });
  for (const request of [`PUT ${path}`, `POST ${path}/1/pause`, `POST ${path}/1/resume`])
    api.on(request, { body: schedulesOfWeb });
});
afterEach(() => api.stop());

const schedule = (...args: string[]) => runArcus(['service', 'schedule', ...args], api.environment);
const sent = () =>
  api.asked.flatMap(({ method, path: to, body }) => (method === 'GET' ? [] : [[method, to, body && JSON.parse(body)]]));

describe('arcus service schedule', () => {
  it('lists what a role does at its times, and what of it is paused', async () => {
    const { out } = await schedule('list', 'shop', 'web');
    expect(out).toMatch(/^TIME ZONE +: UTC$/m);
    expect(out).toMatch(/^ +0 +0 9 \* \* mon-fri +CARDINALITY 4 +2026-11-23 08:00 +-$/m);
    expect(out).toMatch(/^ +1 +30 22 \* \* \* +CARDINALITY 1 +paused +-$/m);
  });

  it('pauses one until a time, resumes it, and gives the role others', async () => {
    await schedule('pause', 'shop', 'web', '1', '--until', at);
    await schedule('resume', 'shop', 'web', '1');
    const file = join(ownDirectory(), 'schedules.yaml');
    writeFileSync(file, 'scheduled_policies: []\n');
    const { out } = await schedule('update', 'shop', 'web', '-f', file);
    expect(out).toContain('role web has 2 scheduled policies now.');
    expect(sent()).toEqual([
      ['POST', `${path}/1/pause`, { until: at }],
      ['POST', `${path}/1/resume`, ''],
      ['PUT', path, { scheduled_policies: [] }],
    ]);
  });

  it('names where to look for what a service that is there has not', async () => {
    const detail = 'Service 12 has no role "web".';
    api.on(`GET ${path}`, problem(404, 'not_found', detail));
    const { code, err } = await schedule('list', 'shop', 'web');
    expect([code, err]).toEqual([3, `arcus: ${detail}\nSee what it has with: arcus service show 12\n`]);
  });

  it.each([
    [['hold', 'shop', 'web'], '"hold" is none of list, pause, resume, update.'],
    [['pause', 'shop', 'web'], 'Say which scheduled policy, by its number.'],
    [['update', 'shop', 'web'], '--file: is needed'],
  ])('says what is missing: %j', async (args, text) => {
    const { code, err } = await schedule(...args);
    expect([code, err]).toEqual([2, expect.stringContaining(text)]);
    expect(sent()).toEqual([]);
  });
});

describe('arcus vm schedule', () => {
  const of = '/vms/3/schedules';
  const nightly = { recurrence: '0 22 * * *', start_time: null, time_zone: 'Europe/Madrid' };
  const saves = { disk_id: null, image_name: null, datastore_id: null, keep: null };
  const shownOnes = (last: object | null) => ({
    ...{ vm: 3, time_zone: 'UTC' },
    schedules: [{ id: 0, action: 'poweroff', ...nightly, ...saves, by: 0, next_at: at, last }],
  });
  const vmSchedule = (...args: string[]) => runArcus(['vm', 'schedule', ...args], api.environment);

  it('adds, lists and deletes what is to be done to a VM', async () => {
    const last = {
      due_at: '2999-11-28T11:59:00.000Z',
      time: at,
      verdict: 'refused',
      why: 'VM 3 is POWEROFF',
      operation: null,
    };
    api.on(`POST ${of}`, { body: shownOnes(null) });
    api.on(`GET ${of}`, { body: shownOnes(last) });
    api.on(`DELETE ${of}/0`, { status: 204, body: '' });
    const added = await vmSchedule('add', '3', 'poweroff', '--every', '0 22 * * *', '--time-zone', 'Europe/Madrid');
    expect(added.out).toContain(`scheduled action 0 of vm 3: poweroff, next at ${at}.`);
    const { out } = await vmSchedule('list', '3');
    expect(out).toMatch(
      /^ +0 +poweroff +0 22 \* \* \* +Europe\/Madrid +2999-11-28 12:00 +2999-11-28 12:00 refused: VM 3 is POWEROFF$/m,
    );
    expect((await vmSchedule('delete', '3', '0')).code).toBe(0);
    expect(sent()).toEqual([
      ['POST', of, { action: 'poweroff', recurrence: '0 22 * * *', time_zone: 'Europe/Madrid' }],
      ['DELETE', `${of}/0`, ''],
    ]);
  });

  it('names where to look for what there is', async () => {
    api.on(`DELETE ${of}/77`, problem(404, 'not_found', 'VM 3 has no scheduled action 77.'));
    const { code, err } = await vmSchedule('delete', '3', '77');
    expect([code, err]).toEqual([3, expect.stringContaining('See which it has with: arcus vm schedule list 3')]);
  });

  it.each([
    [['add', '3', 'explode', '--at', '+60'], '"explode" is nothing that can be done to a VM at a time.'],
    [['add', '3'], 'Say what is to be done, and either --at or --every.'],
    [['add', '3', 'poweroff'], 'Say what is to be done, and either --at or --every.'],
    [['delete', '3'], 'Say which scheduled action'],
    [['drop', '3'], '"drop" is none of list, add, delete.'],
  ])('says what is missing: %j', async (args, text) => {
    const { code, err } = await vmSchedule(...args);
    expect([code, err]).toEqual([2, expect.stringContaining(text)]);
    expect(sent()).toEqual([]);
  });
});
