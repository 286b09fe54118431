import { join } from 'node:path';
import { Problem } from '../../../domain/problems.js';
import type { Config } from '../../../schemas/config.js';
import { diskFault } from '../disk-fault.js';
import { datastoresOf } from '../storages.js';
import { type HttpRules, openUrl } from './http-source.js';
import { openPath, type PathRules } from './path-source.js';
import type { OpenObject, Sources } from './port.js';

export type SourceRules = PathRules & HttpRules & { openObject?: OpenObject | undefined };

/** Files in safe directories, addresses of http and https, and apps that have none, where somebody opens those. */
export const sourcesBy = (rules: SourceRules): Sources => ({
  async open(address, from, signal) {
    signal.throwIfAborted();
    try {
      if ('path' in address) return await openPath(address.path, rules, from, signal);
      if ('url' in address) return await openUrl(address.url, rules, from, signal);
      if (rules.openObject) return await rules.openObject(address.object, from, signal);
      throw new Problem('source_refused', 'Nobody opens apps here.');
    } catch (error) {
      throw diskFault(error, signal, 'The source');
    }
  },
});

type SourceConfig = Pick<Config, 'ARCUS_HOME' | 'ARCUS_DATASTORES' | 'ARCUS_SAFE_DIRS' | 'ARCUS_SAFE_NETWORKS'>;

/** Sources as the settings allow them. The home and the datastores are kept from use: there are keys in the one, and images of others in the other. */
export const sources = (config: SourceConfig, openObject?: OpenObject): Sources =>
  sourcesBy({
    safe: config.ARCUS_SAFE_DIRS,
    kept: [join(config.ARCUS_HOME), datastoresOf(config)],
    allowed: config.ARCUS_SAFE_NETWORKS,
    openObject,
  });
