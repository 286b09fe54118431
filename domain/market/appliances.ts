import type { z } from 'zod';
import { limits } from '../../schemas/common/limits.js';
import { Appliance, type ApplianceFile, Appliances, Attribute, Section } from '../../schemas/market/appliance.js';

/** An app of a catalogue of others. `upstream`: what tells it there from all others, for good. */
export type CatalogueApp = {
  upstream: string;
  name: string;
  description: string;
  version: string;
  publisher: string;
  tags: string[];
  /** As it is published, such as `qcow2`; null: it does not say. */
  format: string | null;
  /** Bytes as they are published, and what they sum up to; null: it does not say. */
  bytes: number | null;
  md5: string | null;
  /** Where its bytes are. */
  url: string;
  created_at: Date | null;
  /** What an image of it has beside, such as DEV_PREFIX. */
  attributes: Record<string, string>;
  /** What a VM template of it has; null: it has none. */
  vm_template: Record<string, unknown> | null;
};

/**
 * The apps of a catalogue in OpenNebula's form (`{ "appliances": [ … ] }`), whose bytes are at `endpoint`; undefined: it is none. What of a catalogue cannot be
 * read is left out, and counted; so is one that is there twice.
 */
export function appliancesIn(json: string, endpoint: string): { apps: CatalogueApp[]; unread: number } | undefined {
  const read = Appliances.safeParse(jsonIn(json));
  if (!read.success) return undefined;
  const { appliances } = read.data;
  const apps = new Map<string, CatalogueApp>();
  for (const one of appliances.slice(0, limits.catalogueApps.most)) {
    const app = applianceOf(one, endpoint);
    if (app && !apps.has(app.upstream)) apps.set(app.upstream, app);
  }
  return { apps: [...apps.values()], unread: appliances.length - apps.size };
}

function applianceOf(given: unknown, endpoint: string): CatalogueApp | undefined {
  const read = Appliance.safeParse(given);
  if (!read.success) return undefined;
  const { _id, name, files, tags, creation_time, opennebula_template, ...its } = read.data;
  // As in OpenNebula, the first one is the app.
  const [file] = files;
  if (file === undefined) return undefined;
  const upstream = _id.$oid;
  return {
    ...{ upstream, name, description: printableLines(its.short_description ?? '') },
    ...{ version: its.version || '0.0', publisher: its.publisher ?? '', tags: (tags ?? []).slice(0, 32) },
    ...{ format: its.format || null, bytes: file.size ?? null, md5: file.md5?.toLowerCase() ?? null },
    url: `${endpoint}/appliance/${upstream}/download/0`,
    created_at: momentOf(creation_time),
    attributes: imageAttributes(file),
    vm_template: vmTemplateIn(opennebula_template),
  };
}

const printableLines = (all: string): string => all.replace(/[^\P{Cc}\n\t]/gu, '').slice(0, limits.description.most);

/** Seconds since 1970; what cannot be one is no moment. */
const momentOf = (seconds: number | null | undefined): Date | null =>
  seconds != null && seconds > 0 && seconds < 32_503_680_000 ? new Date(seconds * 1_000) : null;

const imageAttributes = ({ dev_prefix, driver, type }: z.output<typeof ApplianceFile>): Record<string, string> => ({
  ...(dev_prefix != null && { DEV_PREFIX: dev_prefix }),
  ...(driver != null && { DRIVER: driver }),
  ...(type != null && { TYPE: type.toUpperCase() }),
});

/** Texts, and sections of texts, with names in upper case: what OpenNebula reads of a template. Lists have no form there. */
function vmTemplateIn(given: string | Record<string, unknown> | null | undefined): Record<string, unknown> | null {
  const read: unknown = typeof given === 'string' ? jsonIn(given) : given;
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return null;
  const entries = Object.entries(read).flatMap(([name, value]): [string, unknown][] => {
    const plain = Attribute.safeParse(value);
    if (plain.success) return [[name.toUpperCase(), plain.data]];
    const section = Section.safeParse(value);
    return section.success ? [[name.toUpperCase(), upper(section.data)]] : [];
  });
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

const upper = (section: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(section).map(([name, value]) => [name.toUpperCase(), value]));

function jsonIn(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
