import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { z } from 'zod';
import { temporalAccess } from '../../adapters/engine/access.js';
import { built } from '../../adapters/process/checkout.js';
import { isLoopback } from '../../schemas/common/request-source.js';
import { tlsFilesIn } from '../../schemas/config.js';
import { ensureWritable, type Home, homeAt } from '../home/home.js';
import { holderOf } from '../home/home-lock.js';
import { findLeftovers } from '../processes/leftovers.js';
import { Obstacle, reasonOf } from '../processes/obstacle.js';
import { isPortFree } from '../processes/ports.js';
import { probeHttp } from '../servers/await-ready.js';
import { mongods, type Tool, temporal } from '../servers/downloads.js';
import type { FetchOptions } from '../servers/fetch-binary.js';
import { type FoundBinary, lookForBinary, unfitness, versionOf } from '../servers/find-binary.js';
import { lookForMongod } from '../servers/find-mongod.js';
import { keptTls } from '../servers/kept-tls.js';
import { probeMongo } from '../servers/mongodb-server.js';
import { fetchOptionsOf, reachable } from '../servers/servers.js';
import { probeTemporal } from '../servers/temporal-server.js';
import { readSettings, type Settings } from '../settings.js';
import { guestHere, libvirtHere } from './libvirt.js';
import { type Missing, missingImagePrograms, missingIpmiPrograms, missingSshPrograms } from './missing-programs.js';
import { outOfSupport, readsOut } from './support.js';

/**
 * One thing that was looked at. `ok`: as it should be; `notice`: Arcus will see to it, or can do without; `fault`: it keeps
 * Arcus from working, and `advice` says what to do.
 */
export type DoctorFinding = {
  subject: string;
  level: 'ok' | 'notice' | 'fault';
  found: string;
  advice: string | null;
};

/** Programs, databases and logs of the first days; MongoDB stops taking writes long before a disk is full. */
const neededBytes = 2e9;

const ok = (subject: string, found: string): DoctorFinding => ({ subject, level: 'ok', found, advice: null });
const notice = (subject: string, found: string, advice: string): DoctorFinding => ({
  subject,
  level: 'notice',
  found,
  advice,
});
const fault = (subject: string, found: string, advice: string): DoctorFinding => ({
  subject,
  level: 'fault',
  found,
  advice,
});

function aboutNode(today: Date): DoctorFinding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const enough = major > 20 || (major === 20 && minor >= 19);
  const old = outOfSupport('Node.js', process.versions.node, today);
  if (enough) return old === null ? ok('Node.js', process.versions.node) : notice('Node.js', old.found, old.advice);
  return fault('Node.js', process.versions.node, 'install Node.js 20.19 or newer');
}

function aboutBuild(): DoctorFinding {
  return existsSync(built('workflow-bundle.js'))
    ? ok('build', built(''))
    : notice('build', 'nothing is built yet', 'npm start builds it');
}

function aboutHome(home: Home): DoctorFinding {
  try {
    ensureWritable(home);
    return ok('home', home.directory);
  } catch (error) {
    return fault('home', reasonOf(error), 'make it writable, or choose another with --home DIR or ARCUS_HOME');
  }
}

async function aboutDisk(home: Home): Promise<DoctorFinding> {
  try {
    const { bavail, bsize } = await statfs(home.directory);
    const free = bavail * bsize;
    const found = `${(free / 1e9).toFixed(1)} GB free`;
    return free >= neededBytes ? ok('disk', found) : fault('disk', found, 'free at least 2 GB where the home is');
  } catch (error) {
    return notice('disk', reasonOf(error), 'see to it that the home has 2 GB');
  }
}

/** A text: all is here. */
const about = (subject: string, matter: Missing | string): DoctorFinding =>
  typeof matter === 'string' ? ok(subject, matter) : notice(subject, matter.found, matter.advice);

function aboutLock(home: Home): DoctorFinding {
  const holder = holderOf(home.lock);
  if (holder !== null) return ok('Arcus', `runs as process ${holder.pid}`);
  const leftovers = findLeftovers(home);
  if (leftovers.length === 0) return notice('Arcus', 'does not run on this home', 'npm start');
  const names = leftovers.map(({ name, pid }) => `${name} (${pid})`).join(', ');
  return notice('Arcus', `was killed and left ${names}`, 'npm start ends them and begins anew');
}

function aboutTemporalCommand(settings: Settings, home: Home): Promise<DoctorFinding> {
  const options = fetchOptionsOf(settings, home, () => {});
  return aboutTool(temporal, options, () => lookForBinary(temporal, options, process.env.PATH ?? ''));
}

async function aboutMongod(settings: Settings, home: Home, today: Date): Promise<DoctorFinding> {
  const options = fetchOptionsOf(settings, home, () => {});
  const [newest] = mongods.filter(({ downloads }) => (downloads[options.platform] ?? []).length > 0);
  const [any] = mongods;
  const tool = newest ?? any;
  if (tool === undefined) throw new Error('there is no mongod to fetch');
  const look = () => lookForMongod(home.mongodb, options, process.env.PATH ?? '');
  const about = await aboutTool(tool, options, look);
  const found = about.level === 'ok' ? await look() : null;
  const version = found === null ? null : await versionOf(found.path);
  const old = version === null ? null : outOfSupport('MongoDB', version, today);
  return old === null
    ? about
    : notice('mongod', `${about.found}: ${old.found}`, `${old.advice}: npm start fetches it where it can`);
}

async function aboutTool(
  tool: Tool,
  options: FetchOptions,
  look: () => Promise<FoundBinary | null>,
): Promise<DoctorFinding> {
  const found = await look();
  if (found === null) {
    const possible = (tool.downloads[options.platform] ?? []).length > 0;
    return possible
      ? notice(tool.command, 'is not here yet', 'npm start fetches it, which needs the internet once')
      : fault(
          tool.command,
          `is not here, and there is no download for ${options.platform}`,
          `put ${tool.command} on PATH, or set ${tool.setting} to a server of yours`,
        );
  }
  const reason = await unfitness(tool, found.path);
  return reason === null
    ? ok(tool.command, `${found.path} (${found.from})`)
    : fault(tool.command, `${found.path}: ${reason}`, `remove it: npm start fetches ${tool.command} ${tool.version}`);
}

async function aboutServer(subject: string, address: string, probe: () => Promise<unknown>): Promise<DoctorFinding> {
  try {
    const version = await probe();
    return ok(subject, `${address} answers${typeof version === 'string' && version !== '' ? ` (${version})` : ''}`);
  } catch (error) {
    return fault(subject, `${address} does not answer: ${reasonOf(error)}`, `start it, or correct its address`);
  }
}

/** A server of the user's own, whose settings are not Arcus's. */
async function aboutMongodb(uri: string, today: Date): Promise<DoctorFinding> {
  let version = '';
  const about = await aboutServer('MongoDB', 'ARCUS_MONGODB_URI', async () => {
    version = await probeMongo(uri);
    return version;
  });
  const matter = about.level === 'ok' ? (outOfSupport('MongoDB', version, today) ?? readsOut(version)) : null;
  return matter === null ? about : notice('MongoDB', matter.found, matter.advice);
}

const KeptApiPort = z.object({ api: z.int() });

/** The port that a running Arcus has, or the next start would take. */
function apiPort(settings: Settings, home: Home): number | null {
  if (settings.ARCUS_PORT !== 0 && holderOf(home.lock) === null) return settings.ARCUS_PORT;
  try {
    return KeptApiPort.parse(JSON.parse(readFileSync(home.ports, 'utf8'))).api;
  } catch {
    return null;
  }
}

async function aboutApi(settings: Settings, home: Home): Promise<DoctorFinding> {
  const port = apiPort(settings, home);
  if (port === null) return notice('API', 'has no port yet', 'npm start chooses one');
  if (holderOf(home.lock) !== null) {
    const certificate = keptTls(home.tls);
    const url = reachable(settings.ARCUS_LISTEN, port, certificate !== undefined);
    const trust = certificate === undefined ? undefined : { pinned: certificate };
    return aboutServer('API', url, () => probeHttp(`${url}/readyz`, { trust }));
  }
  return (await isPortFree(port, settings.ARCUS_LISTEN))
    ? ok('API', `port ${port} is free for it`)
    : fault('API', `port ${port} is in use by something else`, 'set ARCUS_PORT to another one, or to 0');
}

/** Whether what is sent to the API can be read on the way. */
function aboutTls(settings: Settings): DoctorFinding[] {
  const { ARCUS_LISTEN: listen } = settings;
  try {
    if (tlsFilesIn(settings)) return [];
  } catch (error) {
    return [fault('TLS', reasonOf(error), 'set both, or neither')];
  }
  if (isLoopback(listen)) return [];
  const advice = 'set ARCUS_TLS_CERTIFICATE and ARCUS_TLS_KEY, or see to it that a proxy before it has TLS';
  return [notice('TLS', `the API listens on ${listen} without it: passwords can be read on the way`, advice)];
}

/** Looks at everything that Arcus needs to run, and changes nothing but making the home. Settings that are wrong are a finding too. */
export async function diagnose(
  args: readonly string[] = [],
  environment: NodeJS.ProcessEnv = process.env,
  today: Date = new Date(),
): Promise<DoctorFinding[]> {
  let settings: Settings;
  try {
    settings = readSettings(args, environment);
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    return [aboutNode(today), fault('settings', error.message, 'correct them')];
  }
  const home = homeAt(settings.ARCUS_HOME);
  const path = environment.PATH ?? '';
  const { ARCUS_TEMPORAL_ADDRESS: address, ARCUS_MONGODB_URI: uri } = settings;
  const aboutTheHome = aboutHome(home);
  if (aboutTheHome.level === 'fault') return [aboutNode(today), aboutBuild(), aboutTheHome];
  return [
    aboutNode(today),
    aboutBuild(),
    aboutTheHome,
    ...(await Promise.all([
      aboutDisk(home),
      address === undefined
        ? aboutTemporalCommand(settings, home)
        : aboutServer('Temporal', address, async () =>
            probeTemporal(temporalAccess({ ...settings, ARCUS_TEMPORAL_ADDRESS: address })),
          ),
      uri === undefined ? aboutMongod(settings, home, today) : aboutMongodb(uri, today),
    ])),
    about('images', missingImagePrograms(path) ?? 'qemu-img and what unpacks are here'),
    about('ssh', missingSshPrograms(path) ?? 'is here'),
    about('ipmi', missingIpmiPrograms(path) ?? 'ipmitool is here'),
    about('libvirt', await libvirtHere(path)),
    about('guest', guestHere(path)),
    aboutLock(home),
    await aboutApi(settings, home),
    ...aboutTls(settings),
  ];
}
