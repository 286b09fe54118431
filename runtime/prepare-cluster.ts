import { ensureWritable, homeAt } from './home/home.js';
import { prepare } from './prepare.js';
import { ensureCredentials } from './servers/credentials.js';
import { readSettings } from './settings.js';

// The preparing job of a cluster: run it before the workers and the APIs of a version. It may run again, and several at once.
const settings = readSettings(process.argv.slice(2), process.env);
const { ARCUS_TEMPORAL_ADDRESS, ARCUS_MONGODB_URI } = settings;
if (ARCUS_TEMPORAL_ADDRESS === undefined || ARCUS_MONGODB_URI === undefined)
  throw new Error('ARCUS_TEMPORAL_ADDRESS and ARCUS_MONGODB_URI must name the servers of the cluster');
const home = homeAt(settings.ARCUS_HOME);
ensureWritable(home);
await prepare({ ...settings, ARCUS_TEMPORAL_ADDRESS, ARCUS_MONGODB_URI }, ensureCredentials(home.auth));
console.log(`prepared; the administrator's credentials are in ${home.auth}`);
