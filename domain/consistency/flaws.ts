import type { FindingCode, FindingResource } from '../../schemas/consistency/consistency.js';
import type { Evidence, Flaw } from './evidence.js';
import type { Kind, Section } from './flaw-kinds.js';
import { accountFlaws } from './flaws-of-accounts.js';
import { hostFlaws } from './flaws-of-hosts.js';
import { imageFlaws } from './flaws-of-images.js';
import { leaseFlaws } from './flaws-of-leases.js';
import { marketFlaws } from './flaws-of-markets.js';
import { operationFlaws } from './flaws-of-operations.js';
import { serviceFlaws } from './flaws-of-services.js';
import { vmFlaws } from './flaws-of-vms.js';

/** Every kind of flaw: what it is, how it is told, and what can be done about it. */
export const flaws: { readonly [C in FindingCode]: Kind<Evidence[C]> } = {
  ...serviceFlaws,
  ...vmFlaws,
  ...hostFlaws,
  ...imageFlaws,
  ...marketFlaws,
  ...operationFlaws,
  ...accountFlaws,
  ...leaseFlaws,
};

/** How a flaw is told to people. */
export function told<C extends FindingCode>({
  code,
  seen,
}: Flaw<C>): {
  resource: FindingResource;
  detail: string;
  repair: string | null;
  advice: string | null;
} {
  const { resource, detail, repair, advice }: Kind<Evidence[C]> = flaws[code];
  const about = resource(seen);
  const named = advice?.replaceAll(`<${about.type}>`, String(about.id)) ?? null;
  return { resource: about, detail: detail(seen), repair, advice: named };
}

/** Where it is to be looked for again. */
export function placeOf<C extends FindingCode>({
  code,
  seen,
}: Flaw<C>): { section: Section; subject: number | string } {
  const { section, of }: Kind<Evidence[C]> = flaws[code];
  return { section, subject: of(seen) };
}

/** The same for the same thing, however often it is found. */
export function keyOf<C extends FindingCode>({ code, seen }: Flaw<C>): string {
  const { resource, part }: Kind<Evidence[C]> = flaws[code];
  const { type, id } = resource(seen);
  return [code, type, id, ...(part ? [part(seen)] : [])].join('/');
}
