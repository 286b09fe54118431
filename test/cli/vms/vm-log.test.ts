import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VmLogResource } from '../../../schemas/vms/vm-log.js';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { operationId } from '../stub-operation.js';

const at = (minute: number): string => `2026-11-22T14:0${minute}:00.000Z`;
const line = (minute: number, over: Partial<VmLogResource['log'][number]>): VmLogResource['log'][number] => ({
  ...{ time: at(minute), state: 'ACTIVE', lcm_state: 'RUNNING', reason: null },
  ...{ operation: operationId, action: 'deployVm', requester: 'alice' },
  ...over,
});
const none = { prolog: null, running: null, epilog: null };
const told: VmLogResource = {
  vm: 34,
  log: [
    line(0, { state: 'PENDING', lcm_state: 'LCM_INIT' }),
    line(1, {}),
    // Found so by a look at its host; an operation of which nothing is known any more.
    line(2, { lcm_state: 'UNKNOWN', operation: null, action: null, requester: null, reason: 'node-1 is silent' }),
    line(3, { state: 'POWEROFF', lcm_state: 'LCM_INIT', action: null, requester: null }),
    line(4, { action: 'performOnVm', requester: null }),
  ],
  history: [
    {
      ...{ seq: 0, host_id: 1, hostname: 'node-1', started_at: at(1), ended_at: at(3) },
      ...{ reason: 'user', action: 'undeploy', placed_by: operationId },
      ...{ prolog: { from: at(1), until: at(1) }, running: { from: at(1), until: at(2) }, epilog: null },
    },
    {
      ...{ seq: 1, host_id: 2, hostname: 'node-2', started_at: at(4), ended_at: null },
      ...{ reason: 'none', action: null, placed_by: null, ...none, running: { from: at(4), until: null } },
    },
  ],
};

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /vms/34/log', { body: told });
});
afterEach(() => api.stop());

const arcus = async (words: string) => {
  const { code, out } = await runArcus(words.split(' '), api.environment);
  expect(code).toBe(0);
  return out;
};
/** The rows of a table, by their cells. */
const cells = (table: string): string[][] =>
  table
    .split('\n')
    .filter((row) => row.trim() !== '')
    .map((row) => row.trim().split(/ {2,}/));

describe('arcus vm', () => {
  it('log has each change of state, by which operation and of whom, or that it was found so, and why', async () => {
    expect(cells(await arcus('vm log 34'))).toEqual([
      ['TIME', 'STATE', 'BY', 'REASON'],
      [at(0), 'PENDING', 'deployVm of alice', '-'],
      [at(1), 'RUNNING', 'deployVm of alice', '-'],
      [at(2), 'UNKNOWN', '-', 'node-1 is silent'],
      [at(3), 'POWEROFF', operationId, '-'],
      [at(4), 'RUNNING', 'performOnVm of ?', '-'],
    ]);
  });

  it('history has where it was, since when, and when it was prepared, ran and was cleared away there', async () => {
    expect(cells(await arcus('vm history 34'))).toEqual([
      ['SEQ', 'HOST', 'ACTION', 'REASON', 'FROM', 'UNTIL', 'PROLOG', 'RUNNING', 'EPILOG'],
      [
        ...['0', '1 (node-1)', 'undeploy', 'user', at(1), at(3)],
        ...[`${at(1)} .. ${at(1)}`, `${at(1)} .. ${at(2)}`, '-'],
      ],
      ['1', '2 (node-2)', 'none', 'none', at(4), '-', '-', `${at(4)} ..`, '-'],
    ]);
  });

  it('log and history are both what the API answers, as JSON', async () => {
    for (const verb of ['log', 'history'])
      expect(JSON.parse(await arcus(`vm ${verb} 34 -o json`))).toEqual(JSON.parse(JSON.stringify(told)));
  });
});
