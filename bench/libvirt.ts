import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { z } from 'zod';
import { libvirtHypervisor } from '../adapters/hypervisor/libvirt/libvirt.js';
import { Site } from '../adapters/hypervisor/libvirt/site.js';
import { type Virsh, virshAt } from '../adapters/hypervisor/libvirt/virsh.js';
import type { PlacedVm } from '../adapters/hypervisor/port.js';
import { json } from '../client/message.js';
import { LibvirtHost } from '../test/support/libvirt-hosts.js';
import { tinyGuest } from '../test/support/tiny-guest.js';
import { type Arcus, startArcus } from './arcus.js';
import { load } from './conditions.js';

const help = `Usage: node dist/bench/libvirt.js [--runs 7] [--domains 50]

What Arcus adds to libvirt, on hosts that are libvirts of their own on this machine: a VM until it is RUNNING, beside a clone by qemu-img and virsh create of the same
guest; a look at a host with so many domains; a live migration of a guest of 96 MB that counts. Times are min / median / max. Started as root, for machines of their own.`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    domains: { type: 'string', default: '50' },
    help: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const { signal } = new AbortController();
const size = { cpu: 80_000, memory: 65_536 };
const show = (what: string, times: number[], more = ''): void => {
  const [min = 0, median = 0, max = 0] = [0, Math.floor(times.length / 2), times.length - 1].map(
    (at) => times.sort((one, other) => one - other)[at],
  );
  console.log(
    `| ${what.padEnd(58)} | ${[min, median, max].map((time) => time.toFixed(0)).join(' / ')} ms${more && `, ${more}`} |`,
  );
};
async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

const Layer = z.object({ 'full-backing-filename': z.string() });
const Made = z.object({ id: z.int() });
const Accepted = z.object({ id: z.string(), resource: z.object({ id: z.int() }) });

/** From the request until MongoDB says RUNNING: admission, placement, the disk, the context, the domain. Beside it what an administrator would do by hand. */
async function boots(arcus: Arcus, host: LibvirtHost, base: string): Promise<void> {
  const { client, db } = arcus;
  const send = async (path: string, body: object) => (await client.send('POST', path, Accepted, json(body))).value;
  const make = async (path: string, body: object) => (await client.send('POST', path, Made, json(body))).value.id;
  const vms = db.collection<{ _id: number; state: string; lcm_state: string }>('vms');
  const operations = db.collection<{ _id: string; state: string }>('operations');
  const ended = async (op: string): Promise<void> => {
    while ((await operations.findOne({ _id: op }))?.state !== 'succeeded') await sleep(5);
  };
  const { name, uri, pool } = host;
  const libvirt = { uri, virt_type: 'qemu', directory: pool };
  await make('/hosts', { name, vm_mad: 'libvirt', cpu: size.cpu / 100, memory: size.memory, libvirt });
  const image = await send('/images', { name: 'tiny', type: 'OS', source: { path: tinyGuest() } });
  await ended(image.id);
  const template = await make('/vm-templates', {
    name: 'tiny',
    template: {
      ...{ CPU: 0.2, MEMORY: 96, DISK: [{ IMAGE_ID: image.resource.id }] },
      ...{ CONTEXT: { SET_HOSTNAME: '$NAME' }, SCHED_REQUIREMENTS: `NAME = "${name}"` },
    },
  });
  const [through, byHand]: [number[], number[]] = [[], []];
  // Whoever waits for a program hears of connections that were ended meanwhile.
  const virsh = async (...words: string[]) => (await execa('virsh', ['-q', '-c', uri, ...words])).stdout;
  for (let run = 0; run <= runs; run++) {
    let vm = -1;
    const took = await timed(async () => {
      vm = (await send('/vms', { template_id: template, name: `vm-${run}` })).resource.id;
      while ((await vms.findOne({ _id: vm }))?.lcm_state !== 'RUNNING') await sleep(5);
    });
    const [domain = ''] = (await virsh('list', '--name')).split('\n');
    const xml = await virsh('dumpxml', '--inactive', '--security-info', domain);
    const [disk = '', context = ''] = [/<source file='([^']+\/disk)'/, /<source file='([^']+\.iso)'/].map(
      (pattern) => pattern.exec(xml)?.[1],
    );
    const { stdout: info } = await execa('qemu-img', ['info', '-U', '--output=json', disk]);
    // The way to it leads through a disk that is about to go.
    const backing = realpathSync(Layer.parse(JSON.parse(info))['full-backing-filename']);
    const [ownDisk, ownContext, definition] = ['disk', 'context.iso', 'domain.xml'].map((part) => join(base, part));
    if (!ownDisk || !ownContext || !definition) throw new Error('there are three');
    copyFileSync(context, ownContext);
    const { id } = await send(`/vms/${vm}/terminate`, { hard: true });
    await ended(id);
    const renamed = xml
      .replace(/<name>[^<]*<\/name>/, '<name>by-hand</name>')
      .replace(/<uuid>[^<]*<\/uuid>/, '')
      .replace(/<title>[^<]*<\/title>/, '')
      .replaceAll(disk, ownDisk)
      .replaceAll(context, ownContext)
      .replace(/<log file='[^']*'/, `<log file='${join(dirname(ownDisk), 'log')}'`);
    writeFileSync(definition, renamed);
    const bare = await timed(async () => {
      await execa('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', backing, ownDisk]);
      await virsh('create', definition);
    });
    await virsh('destroy', 'by-hand');
    rmSync(ownDisk);
    // What is done for the first time takes longer, of both.
    if (run === 0) continue;
    through.push(took);
    byHand.push(bare);
  }
  show('a VM until it is RUNNING', through);
  show('the same guest by qemu-img and virsh create', byHand);
}

/** Guests that are held before their first instruction: a look costs as much, and their processors are left to it. */
async function looks(count: number): Promise<void> {
  const host = await LibvirtHost.start('kvm-2', size);
  const asked: string[] = [];
  const counting = (virsh: Virsh): Virsh => ({
    ...virsh,
    ask: (words, abort) => {
      asked.push(words[0] ?? '');
      return virsh.ask(words, abort);
    },
  });
  const virsh = counting(virshAt(host.uri, host.name));
  const site = new Site(virsh, host.target, 'bench');
  const look = async (): Promise<number> => {
    const found = await site.list(signal);
    await site.fence.heard(signal);
    return found.length;
  };
  try {
    for (const domains of [0, count]) {
      for (let at = 0; at < domains; at++) {
        const file = join(host.directory, `${at}.xml`);
        writeFileSync(
          file,
          `<domain type='qemu'><name>one-${at}-bench</name><title>arcus bench vm ${at} epoch 1 cpu 10 memory 32</title><memory unit='MiB'>32</memory><vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os>
<devices><serial type='null'/><interface type='user'/><memballoon model='virtio'/></devices></domain>`,
        );
        execFileSync('virsh', ['-q', '-c', host.uri, 'define', file]);
        execFileSync('virsh', ['-q', '-c', host.uri, 'start', '--paused', `one-${at}-bench`]);
      }
      await look();
      asked.length = 0;
      const times: number[] = [];
      for (let run = 0; run < 3 * runs; run++) {
        times.push(
          await timed(async () => {
            if ((await look()) !== domains) throw new Error('a domain is missing');
          }),
        );
      }
      show(`a look at a host with ${domains} domains`, times, `${asked.length / (3 * runs)} questions`);
    }
  } finally {
    virsh.close();
    for (const name of execFileSync('virsh', ['-q', '-c', host.uri, 'list', '--name'], { encoding: 'utf8' }).split(
      '\n',
    ))
      if (name !== '') execFileSync('virsh', ['-q', '-c', host.uri, 'destroy', name]);
    host.close();
  }
}

/** There and back, by libvirts that share this machine’s disks; the guest counts on, or it is an error. */
async function migrations(base: string): Promise<void> {
  const hosts = [await LibvirtHost.start('kvm-3', size), await LibvirtHost.start('kvm-4', size)] as const;
  const hypervisor = libvirtHypervisor('bench', { shutdown: 0 });
  try {
    const path = join(base, 'counting.qcow2');
    copyFileSync(tinyGuest(), path);
    execFileSync('chmod', ['0666', path]);
    const vm: PlacedVm<'libvirt'> = {
      ...{ id: 1, domain: 'one-1', host: hosts[0].target, capacity: { cpu: 20, memory: 96 }, epoch: 1 },
      ...{ labels: { vm: 1 }, template: {} },
      devices: {
        nics: [],
        disks: [
          {
            ...({ disk_id: 0, target: 'vda', type: 'file', size: 64, format: 'qcow2', path } as const),
            ...{ snapshots: [], current: null, reverted: null },
          },
        ],
      },
    };
    await hypervisor.deploy(vm, signal);
    const said = () => hosts.map(({ pool }) => logOf(join(pool, 'bench.1.log'))).join('');
    const counts = () => said().split('guest: count ').length;
    while (counts() < 5) await sleep(100);
    const times: number[] = [];
    for (let run = 0; run < runs; run++) {
      const [from, to] = run % 2 === 0 ? [hosts[0], hosts[1]] : [hosts[1], hosts[0]];
      const move = { ...vm, host: from.target, to: to.target, epoch: run + 2 };
      times.push(await timed(() => hypervisor.migrate(move, signal)));
      const before = counts();
      while (counts() < before + 2) await sleep(100);
    }
    if (said().split('guest: up').length !== 2) throw new Error('it has booted again');
    show('a guest of 96 MB that counts, to another host while it runs', times);
  } finally {
    hypervisor.close();
    for (const host of hosts) host.close();
  }
}

function logOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

if (values.help) console.log(help);
else {
  const base = mkdtempSync(join(tmpdir(), 'arcus-bench-libvirt-'));
  execFileSync('chmod', ['0755', base]);
  const host = await LibvirtHost.machine('kvm-1', size, { ownNetwork: false });
  const version = ((await host.virsh('version')) ?? '').match(/\b\d{1,4}\.\d{1,4}\.\d{1,4}\b/g);
  console.log(
    `${cpus().length} cores (${cpus()[0]?.model}), libvirt ${version?.[0]}, QEMU ${version?.[3]}, guests run by QEMU in the processor’s place (TCG); ${runs} runs, load ${load()}\n`,
  );
  try {
    const arcus = await startArcus({ ARCUS_SAFE_DIRS: dirname(tinyGuest()) });
    try {
      await boots(arcus, host, base);
    } finally {
      await arcus.stop();
    }
    await looks(Number(values.domains));
    await migrations(base);
  } finally {
    host.close();
    rmSync(base, { recursive: true, force: true });
  }
  console.log(`\nload at the end ${load()}`);
}
