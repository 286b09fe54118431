import { parseRank } from '../domain/expressions/parse.js';
import type { PlacementSettings } from '../domain/placement/placement.js';
import type { Config } from '../schemas/config.js';

/** How this worker places VMs. Throws, with what to do, when the policy custom has no rank that can be read. */
export function placementSettings(
  config: Pick<Config, 'ARCUS_PLACEMENT_POLICY' | 'ARCUS_PLACEMENT_RANK' | 'ARCUS_PLACEMENT_LIMIT'>,
): PlacementSettings {
  const { ARCUS_PLACEMENT_POLICY: policy, ARCUS_PLACEMENT_RANK: rank, ARCUS_PLACEMENT_LIMIT: limit } = config;
  if (policy === 'custom' && rank === undefined)
    throw new Error('ARCUS_PLACEMENT_RANK must be set: ARCUS_PLACEMENT_POLICY is custom.');
  const parsed = parseRank(rank ?? '');
  if (!parsed.ok)
    throw new Error(`ARCUS_PLACEMENT_RANK cannot be read, column ${parsed.fault.column}: ${parsed.fault.detail}.`);
  return { policy, ...(rank !== undefined && { rank }), ...(limit > 0 && { perHost: limit }) };
}
