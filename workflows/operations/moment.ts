/** Turns of the queue of microtasks: more than it takes whatever happens at one moment to have happened. */
const turns = 20;

/** Resolves when all that follows at once from what has just happened has asked for what it needs. No time passes. */
export async function moment(): Promise<void> {
  // One for all turns: each promise of a workflow costs the SDK a look at the stack.
  const now = Promise.resolve();
  for (let turn = 0; turn < turns; turn++) await now;
}
