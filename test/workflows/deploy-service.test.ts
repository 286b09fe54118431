import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());

describe('a deployment', () => {
  it('makes every VM once and ends RUNNING', async () => {
    const { id, op } = await world.running();
    console.log(world.steps.names(), await world.operation(op), world.delayed);
    expect((await world.service(id)).state).toBe('RUNNING');
    for (const vm of await world.vms(id)) expect(world.hypervisor.timesMade(vm._id)).toBe(1);
    await world.accounted();
  });
});
