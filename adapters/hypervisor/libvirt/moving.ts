import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { Problem } from '../../../domain/problems.js';
import { vmCalls } from '../../../domain/vms/vm-verbs.js';
import { withOwnFile, withText } from '../../process/own-files.js';
import type { MoveTarget } from '../port.js';
import { refuseFull } from './making.js';
import type { Site } from './site.js';

/** A VM under an epoch, and the CD-ROM by which that starts it. */
export type Renewed = { id: number; epoch: number; context: string };

/** A definition as it is under another epoch: what says that is our own, and of digits. */
export function underEpoch(definition: string, installation: string, vm: Renewed): string {
  const title = /(<title>arcus [\w-]{1,64} vm \d{1,15} epoch )\d{1,15}/;
  const metadata = /( id=["']\d{1,15}["'] epoch=["'])\d{1,15}/;
  // What its guest says is kept where its host keeps such.
  const log = posix.join(posix.dirname(vm.context), `${installation}.${vm.id}.log`);
  const named = definition
    .replace(title, `$1${vm.epoch}`)
    .replace(metadata, `$1${vm.epoch}`)
    .replace(/<log file='([^']{1,1000})'/g, (own, file: string) =>
      posix.basename(file) === posix.basename(log) ? `<log file='${escaped(log)}'` : own,
    );
  return withContext(named, { installation, id: vm.id }, vm.context);
}

const escaped = (text: string): string => text.replace(/[&<>'"]/g, (character) => `&#${character.charCodeAt(0)};`);

type Whose = { installation: string; id: number };
const files = /<source file='([^']{1,1000})'/g;
/** That of a VM is known by its name, wherever it lies. */
function isContext(file: string, { installation, id }: Whose): boolean {
  const [name = ''] = file.split('/').slice(-1);
  return name.startsWith(`${installation}.${id}.`) && name.endsWith('.iso');
}

/** A definition whose CD-ROM is this one. */
export function withContext(definition: string, whose: Whose, context: string): string {
  return definition.replace(files, (source, file: string) =>
    isContext(file, whose) ? `<source file='${escaped(context)}'` : source,
  );
}

/** The CD-ROM of a definition; null: it has none. */
export const contextIn = (definition: string, whose: Whose): string | null =>
  [...definition.matchAll(files)].map(([, file = '']) => file).find((file) => isContext(file, whose)) ?? null;

/** To another host while it runs. libvirt ends it on the one only when it runs on the other. */
export async function migrate(
  from: Site,
  to: Site,
  { id, epoch }: MoveTarget<'libvirt'>,
  signal: AbortSignal,
): Promise<void> {
  await refuseSame(from, to, id, signal);
  const context = await withOwnFile('context.iso', async (file) => {
    const told = (await from.fence.bring(id, file, signal)) ? { file, bytes: (await stat(file)).size } : null;
    return to.fence.hear(id, epoch, 'starts', signal, told);
  });
  await from.fence.hear(id, epoch, 'touches', signal, 'as before');
  const [here, there] = [await from.own({ id, epoch }, signal), await to.own({ id, epoch }, signal)];
  if (there?.state === 'running' && here?.state !== 'running') {
    if (here) await from.erase('migrate', id, here.uuid, signal);
  } else {
    if (here?.state !== 'running')
      throw new Problem(vmCalls.migrate.refused, `VM ${id} does not run on ${from.host.name}.`);
    refuseFull(to, 'migrate', { id, capacity: here.capacity }, await to.list(signal));
    if (there) await to.erase('migrate', id, there.uuid, signal);
    // libvirt moves none that has some.
    await from.dropSnapshots('migrate', id, here.uuid, signal);
    await send(from, to, { id, epoch, uuid: here.uuid, context }, signal);
  }
  await from.fence.hear(id, epoch, 'stops', signal);
}

/**
 * Before either has heard anything: of one libvirt by two names, the one would take away by what the other is started. A URI may name it in many ways, and it says itself
 * who it is; nor does libvirt move anything between two daemons of one machine.
 */
async function refuseSame(from: Site, to: Site, id: number, signal: AbortSignal): Promise<void> {
  const uuidOf = async (site: Site): Promise<string | undefined> =>
    /<host>\s*<uuid>([0-9a-f-]{36})<\/uuid>/.exec(await site.ask('migrate', id, ['capabilities'], signal))?.[1];
  const [one, other] = [await uuidOf(from), await uuidOf(to)];
  if (one !== undefined && one === other)
    throw new Problem(
      vmCalls.migrate.refused,
      `${from.host.name} and ${to.host.name} are one and the same machine, by two URIs: VM ${id} stays where it is. Remove one of these hosts.`,
    );
}

async function send(
  from: Site,
  to: Site,
  { id, epoch, uuid, context }: { id: number; epoch: number; uuid: string; context: string },
  signal: AbortSignal,
): Promise<void> {
  const definition = async (...which: string[]): Promise<string> => {
    const words = ['dumpxml', uuid, '--security-info', ...which];
    return underEpoch(await from.ask('migrate', id, words, signal), from.installation, { id, epoch, context });
  };
  const { uri, address } = to.host.connection;
  const [live, kept] = [await definition('--migratable'), await definition('--inactive')];
  await withText(live, (xml) =>
    withText(kept, (persistent) =>
      from.work(
        'migrate',
        id,
        [
          // Its disks are where both hosts have them: nothing of them is copied.
          ...['migrate', '--live', '--persistent', '--undefinesource', '--unsafe', '--abort-on-error'],
          ...['--xml', xml, '--persistent-xml', persistent],
          ...(address === undefined ? [] : ['--migrateuri', `tcp://${address}`, '--listen-address', address]),
          ...[uuid, uri],
        ],
        signal,
      ),
    ),
  );
}
