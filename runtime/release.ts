import { temporalAccess } from '../adapters/engine/access.js';
import { builtVersion, makeVersionCurrent } from './servers/deployment-version.js';
import { readSettings } from './settings.js';

// The release job of a cluster: run it once the workers of a new version have been started. The workers themselves never do
// it: an old one that restarts would take the current version back.
const settings = readSettings(process.argv.slice(2), process.env);
const { ARCUS_TEMPORAL_ADDRESS } = settings;
if (ARCUS_TEMPORAL_ADDRESS === undefined)
  throw new Error('ARCUS_TEMPORAL_ADDRESS must name the Temporal of the cluster');
await makeVersionCurrent(temporalAccess({ ...settings, ARCUS_TEMPORAL_ADDRESS }), builtVersion(), 300_000);
console.log(`version ${builtVersion()} is current`);
