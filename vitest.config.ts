import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const pure = ['test/domain/**/*.test.ts', 'test/schemas/**/*.test.ts', 'test/docs/**/*.test.ts'];
/**
 * What takes whole clusters of processes, or minutes: `npm run test:long`, before a release and after changes of what they try.
 * What is only more of the same stands beside the part of it that `npm test` runs: `short-of-kills` beside `short`, which kills
 * everything at once and some alone; `failure-policy`, `host-returns`, `why` and `images-by-ssh` of e2e beside the same
 * stories in a world, or of their contract (`workflows/services/failure-policy`, `repair-service`, `contracts/ssh-*`). A round of `mixed`, whose seed is
 * printed, takes minutes and asks for other things each time.
 */
const long = [
  'test/contracts/import-memory.test.ts',
  'test/every-step/when-vms-fail.test.ts',
  'test/e2e/failure-policy.test.ts',
  'test/e2e/fsck.test.ts',
  'test/e2e/host-returns.test.ts',
  'test/e2e/roles-come-and-go.test.ts',
  'test/e2e/images-by-ssh.test.ts',
  'test/e2e/images-elsewhere.test.ts',
  'test/e2e/why.test.ts',
  'test/e2e/libvirt-life.test.ts',
  'test/e2e/two-of-each.test.ts',
  'test/workflows/vms/many-disks.test.ts',
  'test/runtime/cluster.test.ts',
  'test/runtime/start.test.ts',
  'test/chaos/frozen-worker.test.ts',
  'test/chaos/host-failures.test.ts',
  'test/chaos/hostile-tenant.test.ts',
  'test/chaos/lost-turns.test.ts',
  'test/chaos/mixed-minute.test.ts',
  'test/chaos/mixed.test.ts',
  'test/chaos/ownership-races.test.ts',
  'test/chaos/races.test.ts',
  'test/chaos/renewed-rounds.test.ts',
  'test/chaos/scaling-races.test.ts',
  'test/chaos/short-of-kills.test.ts',
  'test/chaos/short-of-others.test.ts',
  'test/chaos/upgrade.test.ts',
  'test/workflows/floods.test.ts',
];
/** Of these `npm test` runs a part, which they choose by `inject('inEveryWay')`; `npm run test:long` runs them whole. */
const wholeWhenLong = [
  'test/contracts/import-kills.test.ts',
  'test/contracts/ssh-kills.test.ts',
  'test/contracts/ssh-storage.test.ts',
  'test/e2e/images.test.ts',
  'test/e2e/marketplaces.test.ts',
  'test/e2e/uploads.test.ts',
  'test/e2e/scaling.test.ts',
  'test/e2e/vm-disks.test.ts',
  'test/api/native/acts.test.ts',
  'test/api/native/vm-action-states.test.ts',
  'test/every-step/when-all-goes-well.test.ts',
  'test/every-step/when-roles-are-scaled.test.ts',
  'test/every-step/when-vms-are-acted-on.test.ts',
  'test/workflows/consistency/check-consistency.test.ts',
  'test/workflows/services/repair-service.test.ts',
  'test/workflows/services/undeploy-service.test.ts',
  'test/workflows/storage/images.test.ts',
  'test/workflows/vms/switch-vm.test.ts',
];
/** More than what is at fault by itself takes on a machine that is several times slower: tests wait for facts, and a fact that never comes is told by these. */
const patience = { testTimeout: 900_000, hookTimeout: 900_000, expect: { poll: { timeout: 300_000 } } };
/**
 * Files share processes: to load the drivers of MongoDB and Temporal anew costs more than most files do. What each has is
 * its own (a database, a namespace, a home), and no file changes its process: no working directory, no environment.
 */
const shared = { isolate: false };

/** Those whose files take longest, first: one of five minutes that begins last would be waited for alone. */
const longest = [
  'test/tutorials/',
  'test/contracts/libvirt.',
  'test/api/schemathesis',
  'test/every-step/',
  'test/runtime/start',
  'test/chaos/',
  'test/e2e/',
  'test/api/identity/rights',
  'test/workflows/consistency/',
  'test/workflows/vms/',
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

/** Runs against a MongoDB and a Temporal that are started once for the run. */
const onServers = { globalSetup: ['test/support/global-setup.ts'], ...shared, ...patience };

/** `pure` needs nothing but its imports. */
export default defineConfig({
  test: {
    // More than there are cores: most of these tests wait, for servers, time-outs and back-offs.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { name: 'pure', include: pure, ...shared, ...patience } },
      {
        test: {
          name: 'real',
          include: ['test/**/*.test.ts'],
          exclude: [...pure, ...long],
          provide: { inEveryWay: false },
          ...onServers,
        },
      },
      { test: { name: 'long', include: [...long, ...wholeWhenLong], provide: { inEveryWay: true }, ...onServers } },
    ],
  },
});
