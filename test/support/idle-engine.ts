import type { Engine } from '../../adapters/engine/port.js';

/** An engine whose workers never come: what is admitted stays accepted until a test does the work. */
export const idleEngine: Engine = {
  start: async () => 'started',
  startNext: async () => {},
  latestRun: async () => null,
  openRuns: async () => ({ runs: [], next: null }),
  pendingSteps: async () => null,
  failureOf: async () => ({ type: '', message: '' }),
  cancel: async () => {},
  terminate: async () => {},
  signal: async () => {},
  signalSettled: async () => {},
  signalPlacement: async () => {},
  handOver: async () => {},
  monitorNow: async () => {},
  nextMonitoring: async () => null,
};
