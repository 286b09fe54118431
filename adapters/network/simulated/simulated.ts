import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Problem } from '../../../domain/problems.js';
import { NetworkDriver } from '../../../schemas/networks/network.js';
import { NicFilter } from '../../../schemas/networks/nic-filter.js';
import type { FoundNic, HostNetworks, NicName } from '../port.js';

/** What a simulated host was asked to have. */
const Kept = z.object({
  mac: z.string(),
  wire: z.object({
    ...{ vn_mad: NetworkDriver, bridge: z.string(), phydev: z.string().nullable() },
    ...{ vlan_id: z.int().nullable(), mtu: z.int().nullable() },
  }),
  filter: NicFilter,
});
type Kept = z.infer<typeof Kept>;

/** That a NIC is plugged is a name in the directory of its host; what it was plugged with, a file beside it, written before. */
type Plugged = NicName & { epoch: number; revision: number };

const pluggedName = /^(?<vm>\d+)-(?<nic>\d+)\.(?<epoch>\d+)\.(?<revision>\d+)\.(?<what>plugged|json)$/;

const nameOf = ({ vm, nic, epoch, revision }: Plugged, what: 'plugged' | 'json'): string =>
  `${vm}-${nic}.${epoch}.${revision}.${what}`;

/** Of those who look at once, one does it; the others look again. */
const mostRounds = 100;

/**
 * The networks of a simulated host: below `directory` is kept what was asked for, and no packet goes anywhere. Changes are names that are given, changed and
 * taken away, each at one moment and once, so that several processes may be at it.
 */
export function simulatedNetworks(directory: string): HostNetworks {
  const files = async (what: 'plugged' | 'json', of?: NicName): Promise<Plugged[]> => {
    await mkdir(directory, { recursive: true });
    return (await readdir(directory))
      .flatMap((name) => {
        const { vm, nic, epoch, revision, what: is } = pluggedName.exec(name)?.groups ?? {};
        if (is !== what) return [];
        return [{ vm: Number(vm), nic: Number(nic), epoch: Number(epoch), revision: Number(revision) }];
      })
      .filter(({ vm, nic }) => of === undefined || (vm === of.vm && nic === of.nic))
      .sort((one, other) => other.epoch - one.epoch || other.revision - one.revision);
  };
  const newest = async (nic: NicName): Promise<Plugged | undefined> => (await files('plugged', nic))[0];
  const pathOf = (plugged: Plugged, what: 'plugged' | 'json'): string => join(directory, nameOf(plugged, what));
  const write = async (plugged: Plugged, kept: Kept): Promise<void> => {
    const draft = join(directory, `draft.${randomUUID()}`);
    await writeFile(draft, JSON.stringify(kept));
    await rename(draft, pathOf(plugged, 'json'));
  };
  const read = async (plugged: Plugged): Promise<Kept> =>
    Kept.parse(JSON.parse(await readFile(pathOf(plugged, 'json'), 'utf8')));
  const notOlder = ({ vm, nic, epoch }: Omit<Plugged, 'revision'>, seen: Plugged): void => {
    if (seen.epoch > epoch)
      throw new Problem(
        'stale_epoch',
        `NIC ${nic} of VM ${vm} has been plugged under epoch ${seen.epoch}; ${epoch} is older.`,
      );
  };
  /** Again where what was seen has gone meanwhile. */
  const until = async (once: () => Promise<void>, signal: AbortSignal): Promise<void> => {
    for (let round = 0; round < mostRounds; round += 1) {
      signal.throwIfAborted();
      try {
        return await once();
      } catch (error) {
        if (!isOvertaken(error)) throw error;
      }
    }
    throw new Problem('backend_unavailable', 'What simulated hosts have changes faster than it can be followed.');
  };
  const dropBelow = async (nic: NicName, epoch: number, except?: Plugged): Promise<void> => {
    for (const one of await files('plugged', nic))
      if (one.epoch <= epoch && (!except || nameOf(one, 'json') !== nameOf(except, 'json')))
        await rm(pathOf(one, 'plugged'), { force: true });
    for (const one of await files('json', nic))
      if (one.epoch <= epoch && (!except || nameOf(one, 'json') !== nameOf(except, 'json')))
        await rm(pathOf(one, 'json'), { force: true });
  };

  return {
    plug: ({ vm, nic, epoch, mac, wire, filter }, signal) =>
      until(async () => {
        const seen = await newest({ vm, nic });
        if (seen) notOlder({ vm, nic, epoch }, seen);
        const its = seen && seen.revision > filter.revision ? (await read(seen)).filter : filter;
        const plugged = { vm, nic, epoch, revision: its.revision };
        await write(plugged, { mac, wire, filter: its });
        if (seen) await rename(pathOf(seen, 'plugged'), pathOf(plugged, 'plugged'));
        else await (await open(pathOf(plugged, 'plugged'), 'wx')).close();
        const now = await newest({ vm, nic });
        if (now) notOlder({ vm, nic, epoch }, now);
        await dropBelow({ vm, nic }, epoch, now);
        // Whoever tidied in between took it for one that was left.
        if (now?.revision === plugged.revision) await write(plugged, { mac, wire, filter: its });
      }, signal),
    secure: ({ vm, nic, filter }, signal) =>
      until(async () => {
        const seen = await newest({ vm, nic });
        if (!seen || seen.revision >= filter.revision) return;
        const plugged = { ...seen, revision: filter.revision };
        const kept = { ...(await read(seen)), filter };
        await write(plugged, kept);
        await rename(pathOf(seen, 'plugged'), pathOf(plugged, 'plugged'));
        // Whoever tidied in between took it for one that was left.
        await write(plugged, kept);
      }, signal),
    unplug: ({ vm, nic, epoch }, signal) =>
      until(async () => {
        const seen = await newest({ vm, nic });
        if (seen) {
          notOlder({ vm, nic, epoch }, seen);
          await unlink(pathOf(seen, 'plugged'));
        }
        await dropBelow({ vm, nic }, epoch);
      }, signal),
    async found(signal) {
      signal.throwIfAborted();
      const byNic = new Map<string, Plugged>();
      for (const one of (await files('plugged')).reverse()) byNic.set(`${one.vm}-${one.nic}`, one);
      return Promise.all(
        [...byNic.values()].map(async (one): Promise<FoundNic> => ({ ...one, bridge: (await read(one)).wire.bridge })),
      );
    },
  };
}

const isOvertaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EEXIST');
