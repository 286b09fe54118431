import { parseArgs } from 'node:util';
import { z } from 'zod';
import { Config } from '../schemas/config.js';
import { Obstacle } from './processes/obstacle.js';

const Port = z.coerce.number().int().min(1).max(65_535);

/** What `npm start` and `arcus doctor` understand beside the settings of every process. */
export const Settings = Config.extend({
  ARCUS_CACHE: z.string().min(1).optional().describe('Where fetched programs are kept; default: cache in the home'),
  ARCUS_MIRROR: z
    .url()
    .optional()
    .describe('Address under which the archives lie by file name; tried before the vendors'),
  ARCUS_TEMPORAL_PORT: Port.optional().describe('Port of the Temporal that Arcus runs; absent: chosen once and kept'),
  ARCUS_TEMPORAL_UI_PORT: z
    .union([z.literal('off'), Port])
    .optional()
    .describe('Port of its UI; absent: chosen once and kept; off: it has none'),
  ARCUS_MONGODB_PORT: Port.optional().describe('Port of the MongoDB that Arcus runs; absent: chosen once and kept'),
});
export type Settings = z.infer<typeof Settings> & { sample: boolean };

function options(args: readonly string[]): { home: string | undefined; sample: boolean } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { home: { type: 'string' }, sample: { type: 'boolean', default: true } },
      allowNegative: true,
    });
    return { home: values.home, sample: values.sample };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('.')[0] : String(error);
    throw new Obstacle(`${reason}: the options are --home DIR and --no-sample`);
  }
}

/** Reads options and environment; options win. Throws an Obstacle that names every setting that is wrong. */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): Settings {
  const { home, sample } = options(args);
  const given = home === undefined ? environment : { ...environment, ARCUS_HOME: home };
  // An empty variable counts as absent: that is how shells and compose files say so.
  const parsed = Settings.safeParse(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== '')));
  if (parsed.success) return { ...parsed.data, sample };
  const findings = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Obstacle(`settings are wrong: ${findings.join('; ')}`);
}
