import { Problem } from '../../../domain/problems.js';
import { vmCalls } from '../../../domain/vms/vm-verbs.js';
import { withText } from '../../process/own-files.js';
import { type Site, uuidFrom } from './site.js';

/**
 * Who is about to say whose a domain is. libvirt compares nothing when it is told to write metadata; what it refuses is a second secret for one use. So the use is the domain, the id
 * of the secret says who is at it, and who is there looks once more before he writes. Nothing is in the secret, and whoever dies with it finds his own again.
 */
const useOf = (domain: string): string => `arcus ${domain}`;
const idOf = (site: Site, vm: number, domain: string): string =>
  uuidFrom(`${site.installation} ${vm} ${useOf(domain)}`);

/** Throws where somebody else is at it. */
export async function takeClaim(
  site: Site,
  call: 'adopt' | 'disown',
  vm: number,
  domain: string,
  signal: AbortSignal,
): Promise<void> {
  const id = idOf(site, vm, domain);
  const secret = `<secret ephemeral='no' private='yes'><uuid>${id}</uuid><usage type='volume'><volume>${useOf(domain)}</volume></usage></secret>`;
  const { refusal } = await withText(secret, (file) => site.virsh.work(['secret-define', file], signal));
  if (refusal === null) return;
  if (!/already defined for use with/i.test(refusal)) throw site.refused(call, vm, refusal);
  throw new Problem(
    call === 'adopt' ? vmCalls.adopt.refused : 'backend_unavailable',
    `Domain ${domain} on ${site.host.name}: somebody else is about to take it. If nobody is, take the secret away that virsh secret-list shows for "${useOf(domain)}".`,
  );
}

/** Those of a VM. */
export async function dropClaims(site: Site, vm: number, signal: AbortSignal): Promise<void> {
  const text = await site.ask('disown', vm, ['secret-list'], signal);
  for (const line of text.split('\n')) {
    const [id = '', , first, domain = ''] = line.trim().split(/ +/);
    if (first !== 'arcus' || id !== idOf(site, vm, domain)) continue;
    await site.work('disown', vm, ['secret-undefine', id], signal, /secret not found|no secret with/i);
  }
}
