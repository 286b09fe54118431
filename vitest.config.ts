import { defineConfig } from 'vitest/config';

const pure = ['test/domain/**/*.test.ts', 'test/schemas/**/*.test.ts', 'test/docs/**/*.test.ts'];
const patience = { testTimeout: 60_000, hookTimeout: 120_000 };

/** `pure` needs nothing but its imports; `real` runs against a MongoDB and a Temporal that are started once for the run. */
export default defineConfig({
  test: {
    // More than there are cores: most of these tests wait, for servers, time-outs and back-offs.
    maxWorkers: 3,
    projects: [
      { test: { name: 'pure', include: pure, ...patience } },
      {
        test: {
          name: 'real',
          include: ['test/**/*.test.ts'],
          exclude: pure,
          globalSetup: ['test/support/global-setup.ts'],
          ...patience,
        },
      },
    ],
  },
});
