import type { FindingCode, FindingResource } from '../../schemas/consistency/consistency.js';
import type { Evidence } from './evidence.js';

/** What is looked through page by page, each by itself. */
export const sections = [
  'counters',
  'operations',
  'runs',
  'vms',
  'services',
  'images',
  'hosts',
  'datastores',
  'markets',
] as const;
export type Section = (typeof sections)[number];

/** What there is to say of a kind of flaw. */
export type Kind<E> = {
  /** Where it is found, and found again: `of` is the id there. */
  section: Section;
  of: (seen: E) => number | string;
  /** What it is about, when that is not `of`. */
  resource: (seen: E) => FindingResource;
  /** Which of several on one resource it is. */
  part?: (seen: E) => number | string;
  /** In general, for the documentation. */
  what: string;
  /** In particular, a sentence. */
  detail: (seen: E) => string;
  /** What repairing it does; null: there is no safe repair, and `advice` says what a person can do. */
  repair: string | null;
  advice: string | null;
};

/** Some of the table of flaws. */
export type Kinds = { readonly [C in FindingCode]?: Kind<Evidence[C]> };

const service = (seen: { service: number }): FindingResource => ({ type: 'service', id: seen.service });
const vm = (seen: { vm: number }): FindingResource => ({ type: 'vm', id: seen.vm });
const host = (seen: { host: number }): FindingResource => ({ type: 'host', id: seen.host });
const operation = (seen: { op: string }): FindingResource => ({ type: 'operation', id: seen.op });

export const ofService = {
  section: 'services',
  of: (seen: { service: number }) => seen.service,
  resource: service,
} as const;
export const ofVm = { section: 'vms', of: (seen: { vm: number }) => seen.vm, resource: vm } as const;
export const ofHost = { section: 'hosts', of: (seen: { host: number }) => seen.host, resource: host } as const;
export const ofDomain = { section: 'hosts', of: (seen: { host: number }) => seen.host, resource: vm } as const;
export const ofOperation = {
  section: 'operations',
  of: (seen: { op: string }) => seen.op,
  resource: operation,
} as const;
