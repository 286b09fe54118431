import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const pure = ['test/domain/**/*.test.ts', 'test/schemas/**/*.test.ts', 'test/docs/**/*.test.ts'];
const patience = { testTimeout: 60_000, hookTimeout: 120_000 };
/**
 * Files share processes: to load the drivers of MongoDB and Temporal anew costs more than most files do. What each has is
 * its own (a database, a namespace, a home), and no file changes its process: no working directory, no environment.
 */
const shared = { isolate: false };

/** Those whose files take longest, first: one of five minutes that begins last would be waited for alone. */
const longest = [
  'test/every-step/',
  'test/runtime/start',
  'test/workflows/check-consistency',
  'test/e2e/',
  'test/chaos/',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((path) => relative(this.ctx.config.root, moduleId).startsWith(path));
      return at === -1 ? longest.length : at;
    };
    const inOrder = await super.sort(files);
    const isPure = ({ project }: TestSpecification): number => (project.name === 'pure' ? 0 : 1);
    return inOrder.sort((one, other) => isPure(one) - isPure(other) || rank(one) - rank(other));
  }
}

/** `pure` needs nothing but its imports; `real` runs against a MongoDB and a Temporal that are started once for the run. */
export default defineConfig({
  test: {
    // More than there are cores: most of these tests wait, for servers, time-outs and back-offs.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { name: 'pure', include: pure, ...shared, ...patience } },
      {
        test: {
          name: 'real',
          include: ['test/**/*.test.ts'],
          exclude: pure,
          globalSetup: ['test/support/global-setup.ts'],
          ...shared,
          ...patience,
        },
      },
    ],
  },
});
