import { XMLBuilder, XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { Problem } from '../../../domain/problems.js';
import { type VmCall, vmCalls } from '../../../domain/vms/vm-verbs.js';
import type { DomainState } from '../../../schemas/hosts/domain-state.js';
import { withText } from '../../process/own-files.js';
import type { AdoptTarget, Domain, PlacedVm, SwitchTarget } from '../port.js';
import { dropClaims, takeClaim } from './adoption-claims.js';
import { devicesRecord, recordXml } from './device-record.js';
import { type DomainMark, markIn, titleOf } from './domain-title.js';
import { metadataOf } from './domain-xml.js';
import type { Listed } from './domains.js';
import { refuseFull } from './making.js';
import { contextIn, withContext } from './moving.js';
import { fine, type Held, type Site } from './site.js';

type Which = SwitchTarget<'libvirt'>;

/** What a domain said of itself before it was adopted, which it says again when it is given back. `vm`, `devices`, and `context`, what it has for a CD-ROM: of one of another Arcus. */
const Before = z.strictObject({
  title: z.string(),
  vm: z.strictObject({ installation: z.string(), id: z.int(), epoch: z.int() }).nullable(),
  devices: z.string().nullable(),
  context: z.string().nullable(),
});
type Before = z.output<typeof Before>;
const beforeRecord = { uri: 'urn:arcus:before:1', key: 'arcus-before' } as const;

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });
const parser = new XMLParser({
  ...{ ignoreAttributes: false, attributeNamePrefix: '@', parseTagValue: false, parseAttributeValue: false },
});
const Is = z.object({ '@is': z.string() }).optional();
const Definition = z.object({
  domain: z.object({
    title: z.string().default(''),
    metadata: z
      .object({
        'arcus:vm': z
          .object({ '@installation': z.string(), '@id': z.coerce.number(), '@epoch': z.coerce.number() })
          .optional(),
        'arcus-devices:devices': Is,
        'arcus-before:before': Is,
      })
      .optional()
      .catch(undefined),
  }),
});

/** What a domain says of itself, and what it said before it was adopted; null: it was made for its VM. */
export function saidIn(definition: string): Before & { before: Before | null } {
  const { title, metadata } = Definition.parse(parser.parse(definition)).domain;
  const vm = metadata?.['arcus:vm'];
  const before = metadata?.['arcus-before:before']?.['@is'];
  const whose = vm ? { installation: vm['@installation'], id: vm['@id'], epoch: vm['@epoch'] } : null;
  return {
    title,
    vm: whose,
    context: whose && contextIn(definition, whose),
    devices: metadata?.['arcus-devices:devices']?.['@is'] ?? null,
    before: before === undefined ? null : Before.parse(JSON.parse(before)),
  };
}

/** One domain of which metadata is written, in what runs as well as in what it is started by. */
function on(site: Site, call: VmCall, vm: number, { uuid, isUp }: Listed, signal: AbortSignal) {
  const scope = isUp ? ['--live', '--config'] : ['--config'];
  const ask = (words: string[], accepted?: RegExp) => site.ask(call, vm, words, signal, accepted);
  return {
    said: async () => saidIn(await ask(['dumpxml', uuid])),
    /** null: it has none. */
    async metadata({ uri, key }: { uri: string; key: string }, text: string | null): Promise<void> {
      const what = text === null ? ['--remove'] : ['--key', key, '--set', text];
      await ask(['metadata', uuid, '--uri', uri, ...what, ...scope], text === null ? /metadata not found/i : undefined);
    },
    /** An empty one: it has none. */
    title: (text: string) => ask(['desc', uuid, '--title', ...scope, '--new-desc', text]),
  };
}

const vmXml = ({ installation, id, epoch }: NonNullable<Before['vm']>): string =>
  builder.build({ vm: { '@installation': installation, '@id': id, '@epoch': epoch } });

/** Somebody else’s domain becomes that of a VM: it is so when its title says it. What it was before is written first, and all else after. */
export async function adopt(site: Site, vm: AdoptTarget<'libvirt'>, signal: AbortSignal): Promise<DomainState> {
  const { id, epoch, deployId, from } = vm;
  const { name } = site.host;
  const refused = (why: string) => new Problem(vmCalls.adopt.refused, why);
  const all = await site.list(signal);
  const own = all.find(site.isOf(id));
  if (own && own.uuid !== deployId) throw refused(`VM ${id} has another domain on ${name}: ${own.uuid}.`);
  const found = own ?? all.find(({ uuid }) => uuid === deployId);
  if (!found) throw refused(`${name} has no domain ${deployId} any more.`);
  const takenBy = (mark: DomainMark | null): Problem | null => {
    if (mark?.installation === site.installation)
      return mark.vm === id ? null : refused(`Domain ${deployId} on ${name} is that of VM ${mark.vm} already.`);
    if ((mark?.installation ?? null) === from) return null;
    return refused(`Domain ${deployId} on ${name} is not whose it was when it was seen: somebody else has taken it.`);
  };
  const taken = takenBy(found.mark);
  if (taken) throw taken;
  if (found.state === 'failed') throw refused(`Domain ${deployId} on ${name} neither runs nor waits to be started.`);
  const about = await site.ask('adopt', id, ['dominfo', deployId], signal);
  if (!/^Persistent:\s+yes/m.test(about))
    throw refused(`Domain ${deployId} on ${name} is transient: libvirt forgets it when it stops. Define it first.`);
  await takeClaim(site, 'adopt', id, deployId, signal);
  try {
    const write = on(site, 'adopt', id, found, signal);
    const { before: _earlier, ...said } = await write.said();
    const mark = markIn(said.title);
    const meanwhile = (await site.late(vm, signal)) ?? takenBy(mark);
    if (meanwhile) throw meanwhile;
    if (mark?.installation !== site.installation) {
      await write.metadata(beforeRecord, builder.build({ before: { '@is': JSON.stringify(said) } }));
      await write.title(titleOf({ installation: site.installation, vm: id, epoch, capacity: found.capacity }));
    }
    if (said.vm?.installation !== site.installation)
      await write.metadata(devicesRecord, recordXml({ nics: [], disks: [] }));
    await marked(site, 'adopt', vm, found, signal);
  } finally {
    await dropClaims(site, id, signal);
  }
  return found.state;
}

/** Under this epoch from now on. */
async function marked(site: Site, call: VmCall, { id, epoch }: Held, domain: Listed, signal: AbortSignal) {
  const { installation } = site;
  const write = on(site, call, id, domain, signal);
  await write.metadata(metadataOf, vmXml({ installation, id, epoch }));
  const capacity = domain.mark?.capacity ?? domain.capacity;
  await write.title(titleOf({ installation, vm: id, epoch, capacity }));
}

/** The domain is whose it was, and says what it said. */
export async function disown(site: Site, vm: Which, own: Listed | undefined, signal: AbortSignal): Promise<void> {
  const { id } = vm;
  // It may have been about to adopt one.
  await dropClaims(site, id, signal);
  if (!own) return;
  await takeClaim(site, 'disown', id, own.uuid, signal);
  try {
    const write = on(site, 'disown', id, own, signal);
    const { title, before } = await write.said();
    const mark = markIn(title);
    if (mark?.installation !== site.installation || mark.vm !== id) return;
    if (before === null)
      throw new Problem(
        vmCalls.disown.refused,
        `The domain of VM ${id} on ${site.host.name} was made for it, and not adopted.`,
      );
    if (before.context !== null) await insertDisk(site, 'disown', vm, own.uuid, before, before.context, signal);
    await write.metadata(devicesRecord, before.devices === null ? null : recordText(before.devices));
    await write.metadata(metadataOf, before.vm && vmXml(before.vm));
    await write.title(before.title);
    await write.metadata(beforeRecord, null);
  } finally {
    await dropClaims(site, id, signal);
  }
}

const recordText = (devices: string): string => builder.build({ devices: { '@is': devices } });

/** That of a domain is this from its next start on, whether it is that of another Arcus or ours. */
async function insertDisk(
  site: Site,
  call: VmCall,
  { id }: Which,
  uuid: string,
  { vm }: Before,
  context: string,
  signal: AbortSignal,
): Promise<void> {
  const definition = await site.ask(call, id, ['dumpxml', uuid, '--inactive', '--security-info'], signal);
  const own = withContext(definition, { installation: site.installation, id }, context);
  const edited = vm ? withContext(own, vm, context) : own;
  if (edited !== definition) await withText(edited, (file) => site.work(call, id, ['define', file], signal));
}

/**
 * The domain of a VM that has adopted it runs, as it is. One of another Arcus has a CD-ROM without which it does not start, which is one of this epoch from then on; of any other nothing
 * hinders a start that comes late, but that it is asked once more whether it is late.
 */
export async function startAdopted(site: Site, vm: PlacedVm<'libvirt'>, signal: AbortSignal): Promise<Domain> {
  await site.fence.hear(vm.id, vm.epoch, 'touches', signal, 'as before');
  const own = await site.own(vm, signal);
  if (!own)
    throw site.refused('deploy', vm.id, 'it is not there any more, and none is made in place of one that was imported');
  await marked(site, 'deploy', vm, own, signal);
  if (own.state !== 'running') {
    refuseFull(site, 'deploy', vm, await site.list(signal));
    await site.dropSnapshots('deploy', vm.id, own.uuid, signal);
    const context = await site.fence.hear(vm.id, vm.epoch, 'starts', signal, 'as before');
    const { before } = await on(site, 'deploy', vm.id, own, signal).said();
    if (before?.vm) await insertDisk(site, 'deploy', vm, own.uuid, before, context, signal);
    await goOn(site, 'deploy', vm, own, signal);
  }
  return { deployId: own.uuid, epoch: vm.epoch };
}

/** One that is down is started; one that somebody has paused goes on. */
export async function goOn(site: Site, call: VmCall, vm: Held, { uuid, isUp }: Listed, signal: AbortSignal) {
  const late = await site.late(vm, signal);
  if (late) throw late;
  await site.work(call, vm.id, [isUp ? 'resume' : 'start', uuid], signal, fine.up);
}
