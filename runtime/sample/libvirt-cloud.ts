import { existsSync } from 'node:fs';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { availableParallelism, homedir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { collections } from '../../client/collections.js';
import { json } from '../../client/message.js';
import { sendUpload } from '../../client/uploads.js';
import { mebi } from '../../schemas/common/mebi.js';
import { LibvirtPlace } from '../../schemas/hosts/libvirt.js';
import { missingGuestPrograms, missingHostPrograms } from '../doctor/missing-programs.js';
import { Obstacle, reasonOf } from '../processes/obstacle.js';
import type { Guests } from '../settings.js';
import { askLibvirt, hasKvm, usualUri } from './ask-libvirt.js';
import { buildGuest } from './guest-image.js';
import type { SampleCloud } from './sample.js';

const hostName = 'sample-kvm';
const imageName = 'sample-guest';

/**
 * The sample on real guests of this machine's libvirt. What it takes is looked at, and its disk is there, before anything is started: throws an
 * Obstacle that says what is missing, and what to do.
 */
export async function libvirtCloud(wish: Guests, disk: string): Promise<SampleCloud> {
  const path = process.env.PATH ?? '';
  const missing = missingHostPrograms(path) ?? (wish.image === undefined ? missingGuestPrograms(path) : null);
  if (missing) throw new Obstacle(`${missing.found}; ${missing.advice}`);
  const place = await placeOf(wish);
  if (!existsSync(disk)) await makeDisk(wish.image, disk);
  return {
    hypervisor: 'libvirt',
    hosts: [
      {
        ...{ name: hostName, vm_mad: 'libvirt', libvirt: place },
        ...{ cpu: availableParallelism(), memory: Math.floor(totalmem() / mebi / 2) },
      },
    ],
    // Where nothing helps QEMU, each guest takes a processor while it boots.
    cardinality: { db_slave: 2, worker: 2 },
    async vmTemplates(api) {
      const IMAGE_ID = await ensureImage(api, disk);
      const guest = { CPU: 0.1, MEMORY: 96, DISK: [{ IMAGE_ID }], CONTEXT: { SET_HOSTNAME: '$NAME' } };
      return { frontend: guest, db_master: guest, db_slave: guest, worker: guest };
    },
  };
}

async function makeDisk(given: string | undefined, disk: string): Promise<void> {
  if (given === undefined) return buildGuest('/', disk);
  // A start that is killed half-way leaves no part of a disk in its place.
  const part = `${disk}.part`;
  try {
    await copyFile(given, part);
    await rename(part, disk);
  } catch (error) {
    throw new Obstacle(`the disk given with --guest-image cannot be read: ${reasonOf(error)}`);
  }
}

/** Where its libvirt is, and how guests run there; that it answers, and that its guests can read what Arcus makes, is seen to. */
async function placeOf({ uri = usualUri(), virt_type }: Guests): Promise<LibvirtPlace> {
  const capabilities = await askLibvirt(uri, 'capabilities');
  if (capabilities === null)
    throw new Obstacle(
      `libvirt does not answer at ${uri}: as root: systemctl start libvirtd; arcus doctor says more, and docs/kvm-hosts.md how a host is prepared`,
    );
  refuseOthersGuests(capabilities);
  const isOfUser = new URL(uri).pathname === '/session';
  const data = process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share');
  return LibvirtPlace.parse({
    ...{ uri, virt_type: virt_type ?? ((await hasKvm(uri)) ? 'kvm' : 'qemu') },
    ...(isOfUser && { directory: join(data, 'libvirt', 'arcus') }),
  });
}

const Capabilities = z.object({
  capabilities: z.object({
    host: z.object({
      secmodel: z
        .array(
          z.object({
            model: z.string(),
            baselabel: z.array(z.object({ '#text': z.string() })).optional(),
          }),
        )
        .default([]),
    }),
  }),
});
const parser = new XMLParser({
  ...{ ignoreAttributes: false, parseTagValue: false, isArray: (name: string) => /^(secmodel|baselabel)$/.test(name) },
});

/** The home is closed to others: guests that run as somebody else could not read their disks. libvirt says as whom they run, `+64055:+64055`. */
function refuseOthersGuests(capabilities: string): void {
  const found = Capabilities.safeParse(parser.parse(capabilities)).data?.capabilities.host.secmodel ?? [];
  const label = found.find(({ model }) => model === 'dac')?.baselabel?.[0]?.['#text'];
  const [, user] = /^\+(\d+):/.exec(label ?? '') ?? [];
  if (user === undefined || Number(user) === process.getuid?.()) return;
  throw new Obstacle(
    `guests of this libvirt run as user ${user}, who may not read the home: start Arcus as an ordinary user, whose own libvirt is used, or have /etc/libvirt/qemu.conf say user = "root" and group = "root", and: systemctl restart libvirtd`,
  );
}

const Accepted = z.object({ resource: z.object({ id: z.int() }) });

/** The image of the guests; one whose bytes have not all arrived before a start was killed is sent the rest: they are kept until it has them. */
async function ensureImage(api: Client, disk: string): Promise<number> {
  const file = await open(disk, 'r');
  try {
    const { size } = await file.stat();
    const there = (await api.all(collections.image, {})).find(({ value }) => value.name === imageName);
    const id =
      there?.value.id ??
      (
        await api.send(
          ...(['POST', '/images', Accepted] as const),
          json({ name: imageName, type: 'OS', source: { upload: { bytes: size } } }),
        )
      ).value.resource.id;
    const read = async (offset: number, length: number) => {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    };
    if (there === undefined || there.value.state === 'LOCKED') await sendUpload(api, id, { size, read });
    for (;;) {
      const { value: image } = await api.show(collections.image, id);
      if (image.state === 'ERROR') throw new Obstacle(`no image is made of the guest's disk: ${image.reason}`);
      if (image.state !== 'LOCKED') break;
      await sleep(200);
    }
    await rm(disk);
    return id;
  } finally {
    await file.close();
  }
}
