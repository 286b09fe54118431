import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { PlacementPolicy } from './placement/placement.js';

const isTimeZone = (timeZone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone });
    return true;
  } catch {
    return false;
  }
};

const isNetwork = (text: string): boolean => {
  const [address = '', bits, ...more] = text.split('/');
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return (
    more.length === 0 && longest > 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= longest))
  );
};

const Names = z
  .string()
  .transform((text) => text.split(',').flatMap((one) => (one.trim() === '' ? [] : [one.trim()])))
  .refine((all) => all.every((one) => /^[A-Za-z0-9.-]+$/.test(one)), 'must be names of hosts, separated by commas');

const Networks = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((one) => (one.trim() === '' ? [] : [one.trim()])))
  .refine((all) => all.every(isNetwork), 'must be addresses or networks such as 10.0.0.0/8, separated by commas');

const Directories = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((one) => (one.trim() === '' ? [] : [one.trim()])))
  .refine((all) => all.every(isAbsolute), 'must be absolute paths of directories, separated by commas');

const Port = z.coerce.number().int().min(0).max(65_535);

/** As Temporal takes them. */
const Namespace = z.string().regex(/^[\w.-]{1,255}$/, 'must be letters, digits, _, . and -');

/** Settings of every Arcus process, from the environment. The supervisor fills in what it started itself. */
export const Config = z.object({
  ARCUS_HOME: z.string().min(1).default(join(homedir(), '.arcus')).describe('Where Arcus keeps its data'),
  ARCUS_PORT: Port.default(9869).describe('Port of the API; 0: chosen once and kept in the home'),
  ARCUS_ONEFLOW_PORT: z
    .union([z.literal('off'), Port])
    .optional()
    .describe('Port of the API for clients of OneFlow, or off; absent: npm start takes 2474, or one that is free'),
  ARCUS_LISTEN: z.string().min(1).default('127.0.0.1').describe('Address that the API listens on'),
  ARCUS_TLS_CERTIFICATE: z
    .string()
    .min(1)
    .optional()
    .describe('File with the certificate of the API, PEM, and those between it and its authority; absent: plain HTTP'),
  ARCUS_TLS_KEY: z.string().min(1).optional().describe('File with the key of that certificate, PEM'),
  ARCUS_WORKER_PORT: Port.default(0).describe(
    'Port of a worker for /healthz and /readyz, on 127.0.0.1; 0: any that is free',
  ),
  ARCUS_MONGODB_URI: z
    .string()
    .startsWith('mongodb', 'must begin with mongodb:// or mongodb+srv://')
    .optional()
    .describe('A MongoDB replica set of your own; absent: Arcus runs one'),
  ARCUS_TEMPORAL_ADDRESS: z
    .string()
    .min(1)
    .optional()
    .describe('A Temporal of your own, host:port; absent: Arcus runs one'),
  ARCUS_TEMPORAL_NAMESPACE: Namespace.default('arcus').describe(
    'Its namespace for operations; made by the preparing job unless it is there',
  ),
  ARCUS_TEMPORAL_TICKS_NAMESPACE: Namespace.default('arcus-ticks').describe(
    'Its namespace for periodic work; the same',
  ),
  ARCUS_TEMPORAL_TLS: z
    .enum(['on', 'off'])
    .optional()
    .describe('Whether it is reached over TLS: on or off; absent: on when one of the following is given'),
  ARCUS_TEMPORAL_TLS_CA: z
    .string()
    .optional()
    .describe('File with the authorities that its certificate may come from; absent: those of the system'),
  ARCUS_TEMPORAL_TLS_CERT: z.string().optional().describe('File with the certificate by which it knows Arcus'),
  ARCUS_TEMPORAL_TLS_KEY: z.string().optional().describe('File with the key of that certificate'),
  ARCUS_TEMPORAL_TLS_SERVER_NAME: z.string().optional().describe('The name that its certificate has; absent: the host'),
  ARCUS_TEMPORAL_API_KEY: z.string().optional().describe('The API key by which it knows Arcus'),
  ARCUS_TEMPORAL_API_KEY_FILE: z
    .string()
    .optional()
    .describe('A file with that key, instead; read again while Arcus runs'),
  ARCUS_TEMPORAL_UI_URL: z.url().optional().describe('Where operators see the Temporal UI; links point there'),
  ARCUS_SIMULATOR_URL: z.url().optional().describe('The simulated hypervisor; absent: Arcus runs one'),
  ARCUS_SIMULATOR_TOKEN: z
    .string()
    .optional()
    .describe('The token that it asks for; absent: the one in the home, for the one that Arcus runs'),
  ARCUS_SIMULATOR_TOKEN_FILE: z.string().optional().describe('A file with that token, instead'),
  ARCUS_TASK_QUEUES: z
    .string()
    .default('orchestration,compute,storage,ticks')
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(['orchestration', 'compute', 'storage', 'ticks'])).min(1))
    .describe('Which task queues this worker serves'),
  ARCUS_VM_NAME_TEMPLATE: z
    .string()
    .default('$ROLE_NAME_$VM_NUMBER_(service_$SERVICE_ID)')
    .describe('Name of the VMs of services; one that would be digits alone has vm_ before it'),
  ARCUS_SHUTDOWN_ACTION: z
    .enum(['terminate', 'terminate-hard', 'shutdown', 'shutdown-hard'])
    .default('terminate')
    .describe('How VMs of services go when neither role nor service says'),
  ARCUS_DEFAULT_COOLDOWN: z.coerce
    .number()
    .int()
    .min(0)
    .default(300)
    .describe('Seconds for which a role rests after a scaling, when it says no cooldown; 0: it does not'),
  ARCUS_ACTION_NUMBER: z.coerce
    .number()
    .int()
    .min(1)
    .default(1)
    .describe('How many VMs of a role an action comes to at a time that was given a period alone'),
  ARCUS_ACTION_PERIOD: z.coerce
    .number()
    .int()
    .min(0)
    .default(60)
    .describe('Seconds between some VMs of a role and the next ones, of an action that was given a number alone'),
  ARCUS_SCALING_TIMEOUT: z.coerce
    .number()
    .int()
    .min(1)
    .default(1_800)
    .describe('Seconds for which a scaling waits for capacity, or for reports of VMs, when nothing comes of it'),
  ARCUS_TIME_ZONE: z
    .string()
    .min(1)
    .default('UTC')
    .refine(isTimeZone, 'must be a time zone such as Europe/Madrid')
    .describe('On whose clocks scheduled policies are due that name no time_zone, such as Europe/Madrid'),
  ARCUS_ELASTICITY_INTERVAL: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_600)
    .default(10)
    .describe('Seconds between two looks at the policies of roles; counts from the next start on'),
  ARCUS_MONITORING_INTERVAL: z.coerce
    .number()
    .int()
    .min(5)
    .max(600)
    .default(20)
    .describe('Seconds between two polls of the hosts; counts from the next start on'),
  ARCUS_FENCING_DIRECTORY: z
    .string()
    .min(1)
    .optional()
    .describe('Directory on the workers with the programs that turn hosts off (docs/ha.md); absent: none is run'),
  ARCUS_PLACEMENT_POLICY: PlacementPolicy.default('stripe').describe(
    'Which host is best for VMs without SCHED_RANK: stripe, pack, load_aware, custom or fixed (docs/placement.md)',
  ),
  ARCUS_PLACEMENT_RANK: z
    .string()
    .optional()
    .describe('Rank expression of the policy custom, such as FREE_CPU - 10 * RUNNING_VMS'),
  ARCUS_PLACEMENT_LIMIT: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('New VMs that a host takes in one pass of placement at most; 0: any number'),
  ARCUS_KEEP_OPERATIONS: z.coerce
    .number()
    .int()
    .min(0)
    .max(36_500)
    .default(90)
    .describe('Days for which operations are kept after their end, but for the last on what lives; 0: for ever'),
  ARCUS_KEEP_METRICS: z.coerce
    .number()
    .int()
    .min(1)
    .max(8_760)
    .default(6)
    .describe('Hours for which what hosts say of the use of VMs is kept; counts from the next start on'),
  ARCUS_FAILED_LOGINS: z.coerce
    .number()
    .int()
    .min(1)
    .default(10)
    .describe(
      'Logins as one name from one address that may fail in 15 minutes; ten times as many as any names from it',
    ),
  ARCUS_DATASTORES: z
    .string()
    .min(1)
    .optional()
    .describe('Directory with the datastores of this machine; absent: datastores in the home'),
  ARCUS_SECRETS_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the keys of the secrets that are kept, the same for all processes; absent: secrets.key in the home',
    ),
  ARCUS_SAFE_DIRS: Directories.describe(
    'Directories from whose files images may be made, separated by commas; absent: none',
  ),
  ARCUS_SAFE_NETWORKS: Networks.describe(
    'Networks of your own that images may be fetched from, as addresses or networks; absent: none',
  ),
  ARCUS_MARKET_DIRS: Directories.describe(
    'Directories of workers in which marketplaces of kind http may be, separated by commas; absent: none',
  ),
  ARCUS_PUBLIC_MARKETPLACE: z
    .url({ protocol: /^https?$/ })
    .default('https://marketplace.opennebula.io')
    .describe('Catalogue of marketplaces of kind one that name none, such as OpenNebula Public'),
  ARCUS_TRUSTED_PROXIES: Networks.describe(
    'Proxies before the API whose X-Forwarded-For is believed, as addresses or networks; absent: none',
  ),
  ARCUS_HOSTS: Names.default([]).describe(
    'Names by which the API answers, separated by commas, besides addresses and localhost; absent: any; on loopback none',
  ),
  ARCUS_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('How much processes log: trace, debug, info, warn, error, fatal or silent'),
});
export type Config = z.infer<typeof Config>;

/** Files with the certificate of the API and its key; undefined: plain HTTP. Throws a sentence when one is missing. */
export function tlsFilesIn({
  ARCUS_TLS_CERTIFICATE: certificate,
  ARCUS_TLS_KEY: key,
}: Pick<Config, 'ARCUS_TLS_CERTIFICATE' | 'ARCUS_TLS_KEY'>): { certificate: string; key: string } | undefined {
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  if (certificate === undefined && key === undefined) return undefined;
  const missing = key === undefined ? 'ARCUS_TLS_KEY' : 'ARCUS_TLS_CERTIFICATE';
  throw new Error(`${missing} is not set: TLS takes both a certificate and its key.`);
}

/** Temporal namespaces: operations are kept 30 days, periodic ticks one. */
export const namespaces = { operations: 'arcus', ticks: 'arcus-ticks' } as const;

/** Of Temporal's worker deployment; its versions are the builds of the workflow bundle. */
export const deploymentName = 'arcus';
