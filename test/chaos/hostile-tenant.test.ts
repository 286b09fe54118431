import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostileCases } from '../../bench/hostile/cases.js';
import { HostileCloud } from './hostile-cloud.js';

/** The floor of the clock, in ms: shorter stretches are not told (watch-loop.mjs). A harmless request's mostly are. */
const floor = 10;
const times = 10;

let cloud: HostileCloud;
beforeAll(async () => {
  cloud = await HostileCloud.start();
  await cloud.deployOther();
});
afterAll(() => cloud?.stop());

const most = (like: number): number => times * Math.max(floor, like);

// Whole names: as a member of an object, vitest would cut them.
describe.for(hostileCases.map((hostile) => [hostile.name, hostile] as const))('a tenant sends %s', ([, hostile]) => {
  it('and another’s deployment ends; no event loop stands ten times as long as for a harmless request', async () => {
    await hostile.prepare?.(cloud.tenant);
    const { took, replies, stood, like } = await cloud.compare(
      hostile,
      ({ api, worker }, harmless) => api > most(harmless.api) || worker > most(harmless.worker),
    );
    expect(took).toBeGreaterThan(0);
    for (const { status, body } of replies) expect(status, JSON.stringify(body).slice(0, 500)).toBeLessThan(500);
    console.error(`  ${JSON.stringify({ took, stood, like, status: replies.map(({ status }) => status) })}`);
    expect(stood.api).toBeLessThanOrEqual(most(like.api));
    expect(stood.worker).toBeLessThanOrEqual(most(like.worker));
    expect(cloud.isWhole).toBe(true);
  });
});

it('a VM of another that waits beside a thousand that no host takes gets the host that comes', async () => {
  await cloud.deployOtherOnNewHost();
});
