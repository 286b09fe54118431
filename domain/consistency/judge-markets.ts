import type { App } from '../../schemas/market/app.js';
import { type Flaw, flaw } from './evidence.js';
import { isOpen, type KnownOperations } from './hands.js';

export type SeenApp = Pick<App, '_id' | 'market_id' | 'state' | 'epoch' | 'operation' | 'wanted' | 'exports' | 'parts'>;

/** What lies in a marketplace, under keys of ours. */
export type LyingApps = readonly { key: string; bytes: number; whole: boolean }[];

/** A marketplace, and what it has said of what lies in it; null: it is not asked. */
export type SeenMarket = { _id: number; name: string; heard: { lying: LyingApps } | { error: string } | null };

export type AroundMarkets = {
  operations: KnownOperations;
  /** Those that are in it, and those of whose keys something lies there. */
  apps: readonly SeenApp[];
};

/** Every operation that these apps name: what is to be known of them. */
export const namedByApps = (apps: readonly Pick<SeenApp, 'operation' | 'wanted' | 'exports'>[]): string[] => [
  ...new Set(
    apps.flatMap(({ operation, wanted, exports }) => [operation, wanted, ...exports]).flatMap((op) => op ?? []),
  ),
];

/** What of a marketplace and its apps no operation explains. What is not asked or does not answer has none of its apps accused. */
export function judgeMarket(market: SeenMarket, known: AroundMarkets): Flaw[] {
  const { _id: id, name, heard } = market;
  const its = known.apps.filter(({ market_id }) => market_id === id);
  const ofDocuments = its.flatMap((app) => judgeApp(app, known.operations));
  if (heard === null) return ofDocuments;
  if ('error' in heard) return [...ofDocuments, flaw('market_unreachable', { market: id, name, error: heard.error })];
  const keys = new Set(known.apps.flatMap(({ parts }) => parts.flatMap(({ key }) => key ?? [])));
  const whole = new Map(heard.lying.filter((one) => one.whole).map(({ key, bytes }) => [key, bytes]));
  return [
    ...ofDocuments,
    ...its.flatMap((app) => judgeBytes(app, whole, known.operations)),
    ...heard.lying
      .filter(({ key }) => !keys.has(key))
      .map(({ key, bytes, whole: isWhole }) => flaw('app_bytes_orphaned', { market: id, key, bytes, whole: isWhole })),
  ];
}

const isMoving = ({ operation, wanted }: SeenApp, operations: KnownOperations): boolean =>
  [operation, wanted].some((op) => op !== null && isOpen(op, operations));

function judgeApp(app: SeenApp, operations: KnownOperations): Flaw[] {
  const { _id, market_id: market, state, epoch, operation, wanted } = app;
  const named = { market, app: _id };
  const stale = app.exports
    .filter((op) => !isOpen(op, operations))
    .map((op) => flaw('app_export_stale', { ...named, op }));
  if (isMoving(app, operations)) return stale;
  if (state === 'LOCKED' || state === 'INIT')
    return [flaw('app_abandoned', { ...named, state, epoch, operation, wanted }), ...stale];
  return [
    ...(operation === null ? [] : [flaw('app_operation_stale', { ...named, op: operation })]),
    ...(wanted === null ? [] : [flaw('app_wanted_stale', { ...named, op: wanted })]),
    ...stale,
  ];
}

/** Of one that is there whole, as it says. */
function judgeBytes(app: SeenApp, lying: ReadonlyMap<string, number>, operations: KnownOperations): Flaw[] {
  const { _id, market_id: market, state, epoch, parts } = app;
  if ((state !== 'READY' && state !== 'DISABLED') || isMoving(app, operations)) return [];
  const lacking = parts.flatMap(({ key, bytes }) => (key === null || lying.get(key) === bytes ? [] : [key]));
  return lacking.length === 0 ? [] : [flaw('app_without_bytes', { market, app: _id, epoch, lacking })];
}
