import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostileCases, largeTemplate } from '../../bench/hostile/cases.js';
import { HostileCloud } from './hostile-cloud.js';

let cloud: HostileCloud;
beforeAll(async () => {
  cloud = await HostileCloud.start();
});
afterAll(() => cloud?.stop());

/** What a large request of people costs; below it, times are those of the machine. */
let usual: { api: number; worker: number };
beforeAll(async () => {
  await cloud.deployOther();
  const { replies, ...stretches } = await cloud.stretchOf(largeTemplate, 3);
  expect(replies.map(({ status }) => status)).toEqual([201, 201, 201]);
  usual = { api: Math.max(20, stretches.api), worker: Math.max(20, stretches.worker) };
});

describe.for(hostileCases)('a tenant sends $name', ({ attack, harmless, prepare }) => {
  it('and another’s deployment ends; no event loop stands ten times as long as for a harmless request', async () => {
    await prepare?.(cloud.tenant);
    const deployed = cloud.deployOther();
    const { replies, ...worst } = await cloud.stretchOf(attack, 3);
    expect(await deployed).toBeGreaterThan(0);
    for (const { status, body } of replies) expect(status, JSON.stringify(body).slice(0, 500)).toBeLessThan(500);
    const like = harmless ? await cloud.stretchOf(harmless, 3) : usual;
    expect(worst.api).toBeLessThanOrEqual(10 * Math.max(like.api, usual.api));
    expect(worst.worker).toBeLessThanOrEqual(10 * Math.max(like.worker, usual.worker));
    expect(cloud.isWhole).toBe(true);
    console.error(`  ${JSON.stringify({ usual, worst, status: replies.map(({ status }) => status) })}`);
  });
});
