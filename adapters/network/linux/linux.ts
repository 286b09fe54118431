import { createHash, randomBytes } from 'node:crypto';
import { Problem } from '../../../domain/problems.js';
import type { FoundNic, HostNetworks, NicTarget, PluggedNic } from '../port.js';
import { faultOf, isOvertaken } from './fault-of.js';
import type { BridgeFacts } from './filter-text.js';
import { filtersOn } from './filters.js';
import { type Link, linksIn } from './links.js';
import { deviceOf, plainInstallation } from './names.js';
import { type Command, holderOf, type Planning, planDevice, planTidy, planUnplug, planWire } from './plan.js';
import type { Run } from './run.js';

/** Others change devices, too: so many times a call looks what there is and goes on. Nobody is overtaken so often. */
const mostRounds = 40;

/** The networks of a host whose programs `run` runs: iproute2 and nftables. */
export function linuxNetworks(run: Run, installation: string): HostNetworks {
  const planning: Planning = {
    installation: plainInstallation(installation),
    chance: Math.random,
    digest: (text) => createHash('sha256').update(text).digest('hex'),
  };
  const filters = filtersOn(run);

  async function shownNow(signal: AbortSignal): Promise<string> {
    const { exitCode, stdout, stderr } = await run('ip', ['-json', '-details', 'link', 'show'], '', signal);
    if (exitCode !== 0) throw faultOf('ip', stderr);
    return stdout;
  }

  /** Does what is planned of what there is, until nothing is left to be done. */
  async function until(plan: (links: Link[]) => Command[] | Promise<Command[]>, signal: AbortSignal): Promise<void> {
    let failedOf = '';
    for (let round = 0; round < mostRounds; round += 1) {
      const shown = await shownNow(signal);
      const commands = await plan(linksIn(shown));
      if (commands.length === 0) return;
      const { exitCode, stderr } = await run('ip', ['-batch', '-'], `${commands.join('\n')}\n`, signal);
      if (exitCode === 0) continue;
      // Somebody was faster: what there is now says what is left. What fails while nothing changes is wrong.
      if (!isOvertaken(stderr) || failedOf === shown) throw faultOf('ip', stderr);
      failedOf = shown;
    }
    throw new Problem('backend_unavailable', 'Devices of the host change faster than they can be followed.');
  }

  let isReady = false;
  /** What passes bridges is known to conntrack by a module of the kernel. Without it answers would be dropped. */
  async function makeReady(signal: AbortSignal): Promise<void> {
    const { exitCode } = await run('test', ['-d', '/proc/sys/net/bridge'], '', signal);
    if (exitCode !== 0) {
      const loaded = await run('modprobe', ['br_netfilter'], '', signal);
      if (loaded.exitCode !== 0) throw faultOf('modprobe', loaded.stderr);
    }
    isReady = true;
  }

  const bridgeOf = (links: readonly Link[], name: string): BridgeFacts => {
    const bridge = links.find((link) => link.name === name);
    if (!bridge) throw new Problem('backend_unavailable', `The bridge ${name} has gone.`);
    return { name, mac: bridge.mac, index: bridge.index };
  };

  async function plug(nic: PluggedNic, signal: AbortSignal): Promise<void> {
    const device = deviceOf(nic.vm, nic.nic);
    let filteredFor = '';
    await until(async (links) => {
      holderOf(links, nic, planning.installation);
      const wire = planWire(links, nic.wire, planning);
      // It may have been started anew since: then it has no bridge.
      if (wire.length > 0 || !isReady) await makeReady(signal);
      if (wire.length > 0) return wire;
      // What passes is settled before anything can; anew if the bridge is another one meanwhile.
      const bridge = bridgeOf(links, nic.wire.bridge);
      if (filteredFor !== `${bridge.index} ${bridge.mac}`) {
        await filters.set(device, nic, bridge, signal);
        filteredFor = `${bridge.index} ${bridge.mac}`;
      }
      return planDevice(links, nic, planning);
    }, signal);
  }

  async function unplug(nic: NicTarget, signal: AbortSignal): Promise<void> {
    await until((links) => planUnplug(links, nic, planning), signal);
    await filters.remove(deviceOf(nic.vm, nic.nic), nic, signal);
    const token = randomBytes(4).toString('hex');
    await until((links) => planTidy(links, nic.wire, token, planning), signal);
  }

  return {
    plug,
    unplug,
    secure: ({ vm, nic, filter }, signal) => filters.replace(deviceOf(vm, nic), filter, signal),
    async found(signal) {
      const [links, versions] = [linksIn(await shownNow(signal)), await filters.versions(signal)];
      return links.flatMap(({ name, master, tags }): FoundNic[] => {
        const own = tags.filter((tag) => tag.installation === planning.installation);
        const [one] = own;
        if (!one) return [];
        const epoch = Math.max(...own.map((tag) => tag.epoch));
        return [{ vm: one.vm, nic: one.nic, epoch, bridge: master, revision: versions.get(name)?.revision ?? null }];
      });
    },
  };
}
