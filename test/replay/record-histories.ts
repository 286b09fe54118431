import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { newWorld } from '../support/world.js';
import { wholeDevelopment } from '../support/world-server.js';
import { stories } from './stories.js';

/**
 * Tells stories on real servers and keeps the histories of their runs. `new`: those that have none yet, so that the others
 * go on saying that runs of before replay. `all`: in the place of those of before, when workflows have changed on purpose
 * and no run of an older version is to be gone on with.
 */
export async function recordHistories(directory: string, which: 'new' | 'all'): Promise<void> {
  const fileOf = (name: string) => join(directory, `${name}.json`);
  const world = await newWorld({ server: wholeDevelopment });
  const histories = new Map<string, string>();
  try {
    for (const [name, tell] of Object.entries(stories)) {
      if (which === 'new' && existsSync(fileOf(name))) continue;
      world.hypervisor.bootMilliseconds = 0;
      world.hypervisor.mend();
      world.hypervisor.beforeEach = () => {};
      world.steps.watch();
      const { workflowId, runId, of } = await tell(world);
      const client = of === 'ticks' ? world.ticks : world.client;
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      histories.set(name, historyToJSON(history));
    }
  } finally {
    await world.stop();
  }
  if (which === 'all') rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const [name, json] of histories)
    writeFileSync(fileOf(name), `${JSON.stringify(JSON.parse(json, withoutStack))}\n`);
}

/** Where on the recording machine an error was thrown says nothing to a replay. */
const withoutStack = (key: string, value: unknown): unknown => (key === 'stackTrace' ? '' : value);
