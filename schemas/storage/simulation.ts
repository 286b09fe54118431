import { z } from 'zod';

/** Calls of a simulated datastore that can be told to fail. */
export const SimulatedCall = z.enum([
  'capacity',
  'append',
  'keep',
  'createEmpty',
  'copy',
  'resize',
  'remove',
  'makeDisk',
  'growDisk',
  'removeDisk',
  'saveDisk',
  'keepContext',
  'restoreDisk',
  'snapshotDisk',
]);
export type SimulatedCall = z.infer<typeof SimulatedCall>;

/** What `simulation.json` in the directory of a simulated datastore tells it to be like; read with each call. */
export const Simulation = z.strictObject({
  total: z
    .int()
    .min(0)
    .default(1024 ** 4)
    .describe('Bytes that it has'),
  bytes_per_second: z.number().positive().nullable().default(null).describe('How fast it is; null: at once'),
  faults: z
    .partialRecord(SimulatedCall, z.enum(['backend_unavailable', 'datastore_full', 'image_refused']))
    .default({})
    .describe('What calls fail with, until this says otherwise'),
});
export type Simulation = z.infer<typeof Simulation>;
