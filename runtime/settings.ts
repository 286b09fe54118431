import { parseArgs } from 'node:util';
import { z } from 'zod';
import { Config } from '../schemas/config.js';
import { HypervisorKind } from '../schemas/hosts/host.js';
import { LibvirtUri } from '../schemas/hosts/libvirt.js';
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
/** The sample on real guests: on which libvirt, how they run, and of which disk. What is absent is found out. */
const Guests = z.strictObject({
  uri: LibvirtUri.optional(),
  virt_type: z.enum(['kvm', 'qemu']).optional(),
  image: z.string().optional(),
});
export type Guests = z.infer<typeof Guests>;

/** `hypervisor`: on which hosts the sample is to be; null: nobody said so. */
type Wishes = { sample: boolean; hypervisor: HypervisorKind | null; guests: Guests };
export type Settings = z.infer<typeof Settings> & Wishes;

const known =
  'the options are --home DIR, --no-sample and --hypervisor simulated|libvirt, with which --libvirt-uri URI, --virt-type kvm|qemu and --guest-image FILE may be given';

function options(args: readonly string[]): { home: string | undefined } & Wishes {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        home: { type: 'string' },
        sample: { type: 'boolean', default: true },
        hypervisor: { type: 'string' },
        'libvirt-uri': { type: 'string' },
        'virt-type': { type: 'string' },
        'guest-image': { type: 'string' },
      },
      allowNegative: true,
    });
    const { home, sample, hypervisor, 'libvirt-uri': uri, 'virt-type': virt_type, 'guest-image': image } = values;
    return { home, sample, ...wishesOf(hypervisor, { uri, virt_type, image }) };
  } catch (error) {
    if (error instanceof Obstacle) throw error;
    const reason = error instanceof Error ? error.message.split('.')[0] : String(error);
    throw new Obstacle(`${reason}: ${known}`);
  }
}

function wishesOf(hypervisor: string | undefined, guests: Record<keyof Guests, string | undefined>) {
  const kind = HypervisorKind.nullable().safeParse(hypervisor ?? null);
  if (!kind.success) throw new Obstacle(`there is no hypervisor "${hypervisor}": ${known}`);
  const given = Guests.safeParse(guests);
  if (!given.success) {
    const [issue] = given.error.issues;
    throw new Obstacle(`${issue?.path.join('.')} ${issue?.message}: ${known}`);
  }
  if (kind.data !== 'libvirt' && Object.values(guests).some((one) => one !== undefined))
    throw new Obstacle(`what guests are to be goes with --hypervisor libvirt: ${known}`);
  return { hypervisor: kind.data, guests: given.data };
}

/** Reads options and environment; options win. Throws an Obstacle that names every setting that is wrong. */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): Settings {
  const { home, ...wishes } = options(args);
  const given = home === undefined ? environment : { ...environment, ARCUS_HOME: home };
  // An empty variable counts as absent: that is how shells and compose files say so.
  const parsed = Settings.safeParse(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== '')));
  if (parsed.success) return { ...parsed.data, ...wishes };
  const findings = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Obstacle(`settings are wrong: ${findings.join('; ')}`);
}
