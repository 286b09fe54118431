import { Config, tlsFilesIn } from '../../schemas/config.js';

/** What the API cannot do without, beside its defaults. */
export type Settings = Config & { ARCUS_MONGODB_URI: string; ARCUS_TEMPORAL_ADDRESS: string };

/** Settings from the environment. Throws an Error whose message is one sentence for the operator. */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = Config.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`The settings in the environment are not valid: ${faults.join('; ')}.`);
  }
  const { ARCUS_MONGODB_URI, ARCUS_TEMPORAL_ADDRESS } = parsed.data;
  if (ARCUS_MONGODB_URI === undefined || ARCUS_TEMPORAL_ADDRESS === undefined) {
    const missing = ARCUS_MONGODB_URI === undefined ? 'ARCUS_MONGODB_URI' : 'ARCUS_TEMPORAL_ADDRESS';
    throw new Error(`${missing} is not set: start Arcus with npm start, or name the servers that it is to use.`);
  }
  tlsFilesIn(parsed.data);
  return { ...parsed.data, ARCUS_MONGODB_URI, ARCUS_TEMPORAL_ADDRESS };
}
