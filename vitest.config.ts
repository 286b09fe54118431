import { defineConfig } from 'vitest/config';

const patience = { testTimeout: 60_000, hookTimeout: 120_000 };

/** `pure` needs nothing but its imports; `real` runs against a MongoDB and a Temporal that are started once for the run. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { name: 'pure', include: ['test/domain/**/*.test.ts', 'test/schemas/**/*.test.ts'], ...patience } },
      {
        test: {
          name: 'real',
          include: ['test/**/*.test.ts'],
          exclude: ['test/domain/**', 'test/schemas/**'],
          globalSetup: ['test/support/global-setup.ts'],
          ...patience,
        },
      },
    ],
  },
});
