import type { App } from '../../schemas/market/app.js';
import type { CatalogueApp } from './appliances.js';
import { imageTypeIn } from './exported.js';

/** What a catalogue says of an app, as it is stored. */
export type Told = Pick<App, 'name' | 'description' | 'version' | 'publisher' | 'tags' | 'parts' | 'vm_template'>;
/** An app of a catalogue as it is known. */
export type KnownApp = Pick<App, '_id' | 'upstream' | 'exports'> & Told;

export type CataloguePlan = {
  insert: { upstream: string; created_at: Date | null; told: Told }[];
  change: { id: number; told: Told }[];
  /** Those that the catalogue has no more, and nothing is made of. */
  remove: number[];
};

/**
 * What is to be done so that what is known of a catalogue is what it says. An app is the same as long as it is called the same there, whatever its name; whether people have disabled
 * it, and whose it is, is theirs to say.
 */
export function planCatalogue(known: readonly KnownApp[], found: readonly CatalogueApp[]): CataloguePlan {
  const byUpstream = new Map(known.map((app) => [app.upstream, app]));
  const plan: CataloguePlan = { insert: [], change: [], remove: [] };
  for (const one of found) {
    const told = toldOf(one);
    const app = byUpstream.get(one.upstream);
    if (app === undefined) plan.insert.push({ upstream: one.upstream, created_at: one.created_at, told });
    else if (!isSame(app, told)) plan.change.push({ id: app._id, told });
    byUpstream.delete(one.upstream);
  }
  for (const { _id, exports } of byUpstream.values()) if (exports.length === 0) plan.remove.push(_id);
  return plan;
}

function toldOf(found: CatalogueApp): Told {
  const { name, description, version, publisher, tags, url, bytes, md5, format, vm_template } = found;
  const { attributes: app_template } = found;
  const image_type = imageTypeIn(app_template);
  const part = {
    ...{ origin_id: -1, name, key: null, url, bytes, md5, sha256: null, format, virtual_size: null },
    ...{ image_type, app_template },
  };
  return { name, description, version, publisher, tags, parts: [part], vm_template };
}

/** Members of what a catalogue says come in their order, as they are written. */
const isSame = (app: KnownApp, told: Told): boolean => {
  const { name, description, version, publisher, tags, parts, vm_template } = app;
  return JSON.stringify({ name, description, version, publisher, tags, parts, vm_template }) === JSON.stringify(told);
};
