import { expect } from 'vitest';
import { z } from 'zod';
import type { ConsistencyCheckResource } from '../../schemas/consistency/consistency.js';
import type { World } from './world.js';
import type { Around } from './world-steps.js';

const Begun = z.looseObject({ go: z.literal(true), plan: z.looseObject({ apart: z.int() }) });

/** The two looks follow each other at once: nothing else goes on in this world meanwhile. */
const hastily =
  (around: Around): Around =>
  async (step, run) => {
    const result = await around(step, run);
    const begun = Begun.safeParse(result);
    if (step.name !== 'beginCheck' || !begun.success) return result;
    return { ...begun.data, plan: { ...begun.data.plan, apart: 10, behindReconciliation: 10 } };
  };
export const plainly: Around = (_, run) => run();

export type Checked = { report: ConsistencyCheckResource; steps: string[] };

/** A check of a world, however it ends. */
export async function attemptCheck(world: World, repair: boolean, around: Around = plainly): Promise<Checked> {
  world.steps.watch(hastily(around));
  const { id } = await world.operations.consistency.start(world.caller, { repair }, { requestId: 'test' });
  await world.ended(id);
  const steps = world.steps.names();
  world.steps.watch();
  return { report: await world.operations.consistency.show(world.caller, id), steps };
}

export async function checkWorld(world: World, repair: boolean, around?: Around): Promise<ConsistencyCheckResource> {
  const { report } = await attemptCheck(world, repair, around);
  expect(report).toMatchObject({ state: 'succeeded' });
  return report;
}

export const codesOf = ({ findings }: ConsistencyCheckResource): string[] => findings.map(({ code }) => code).sort();
