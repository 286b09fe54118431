import { existsSync } from 'node:fs';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { availableParallelism, homedir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { collections } from '../../client/collections.js';
import { json } from '../../client/message.js';
import { sendUpload } from '../../client/uploads.js';
import { mebi } from '../../schemas/common/mebi.js';
import { LibvirtPlace } from '../../schemas/hosts/libvirt.js';
import { missingGuestPrograms, missingHostPrograms } from '../doctor/missing-programs.js';
import { Obstacle } from '../processes/obstacle.js';
import type { Guests } from '../settings.js';
import { hasKvm, usualUri } from './ask-libvirt.js';
import { refuseNoDisk, unreadable } from './given-disk.js';
import { buildGuest } from './guest-image.js';
import { strangersAt } from './guest-user.js';
import type { SampleCloud } from './sample.js';

const hostName = 'sample-kvm';
const imageName = 'sample-guest';

/**
 * The sample on real guests of this machine's libvirt. What it takes is looked at, and its disk is there, before anything is started: throws an
 * Obstacle that says what is missing, and what to do.
 */
export async function libvirtCloud(wish: Guests, disk: string, say: (line: string) => void): Promise<SampleCloud> {
  const path = process.env.PATH ?? '';
  const missing = missingHostPrograms(path) ?? (wish.image === undefined ? missingGuestPrograms(path) : null);
  if (missing) throw new Obstacle(`${missing.found}; ${missing.advice}`);
  if (wish.image !== undefined) await refuseNoDisk(wish.image);
  const place = await placeOf(wish);
  if (!existsSync(disk)) await makeDisk(wish.image, disk);
  else if (wish.image !== undefined)
    say(`a start before has begun with a disk, which stays that of the guests: ${wish.image} is not looked at`);
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
    throw unreadable(error);
  }
}

/** Where its libvirt is, and how guests run there; that it answers, and that its guests can read what Arcus makes, is seen to. */
async function placeOf({ uri = usualUri(), virt_type }: Guests): Promise<LibvirtPlace> {
  const strangers = await strangersAt(uri);
  if (strangers === 'silent')
    throw new Obstacle(
      `libvirt does not answer at ${uri}: as root: systemctl start libvirtd; arcus doctor says more, and docs/kvm-hosts.md how a host is prepared`,
    );
  if (strangers) throw new Obstacle(`${strangers.found}: ${strangers.advice}`);
  const isOfUser = new URL(uri).pathname === '/session';
  const data = process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share');
  return LibvirtPlace.parse({
    ...{ uri, virt_type: virt_type ?? ((await hasKvm(uri)) ? 'kvm' : 'qemu') },
    ...(isOfUser && { directory: join(data, 'libvirt', 'arcus') }),
  });
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
