import type { Flaw } from '../../../domain/consistency/evidence.js';
import { judgeMarket, type LyingApps, type SeenApp } from '../../../domain/consistency/judge-markets.js';
import type { FindingCode } from '../../../schemas/consistency/consistency.js';
import type { AppPart, AppState } from '../../../schemas/market/app.js';
import { OperationState } from '../../../schemas/operations/operation.js';
import { endedOperations, image, ofImage } from './image-cases.js';

const operations = new Map(OperationState.options.map((state) => [state, { state }] as const));
export const bytes = 4_096;
export const key = `marketapp-5-${'a'.repeat(32)}`;

const part = (name: string | null): AppPart => ({
  ...{ origin_id: 1, name: 'debian', key: name, url: null, bytes, md5: null, sha256: null, format: 'raw' },
  ...{ virtual_size: bytes, image_type: 'OS', app_template: {} },
});

/** App 5 in marketplace 1, of one image. */
export const app = (state: AppState, over: Partial<SeenApp> = {}): SeenApp => ({
  ...{ _id: 5, market_id: 1, state, epoch: 3, operation: null, wanted: null, exports: [], parts: [part(key)] },
  ...over,
});
export const lies = (...keys: string[]): LyingApps => keys.map((one) => ({ key: one, bytes, whole: true }));

/** Marketplace 1, of which what is said lies there; null: it is not asked. */
export const ofMarket = (heard: LyingApps | { error: string } | null, apps: SeenApp[] = []): Flaw[] =>
  judgeMarket(
    { _id: 1, name: 'ours', heard: heard === null || 'error' in heard ? heard : { lying: heard } },
    { operations, apps },
  );

/** Each flaw of marketplaces and apps, seen by itself. */
export const marketCases: [FindingCode, () => Flaw[]][] = [
  ...(['LOCKED', 'INIT'] as const).flatMap((state): [FindingCode, () => Flaw[]][] => [
    ['app_abandoned', () => ofMarket(null, [app(state)])],
    ['app_abandoned', () => ofMarket([], [app(state, { operation: 'failed', wanted: 'lost' })])],
  ]),
  ...endedOperations.flatMap((op): [FindingCode, () => Flaw[]][] => [
    ['app_operation_stale', () => ofMarket(lies(key), [app('READY', { operation: op })])],
    ['app_wanted_stale', () => ofMarket([], [app('ERROR', { wanted: op })])],
    ['app_export_stale', () => ofMarket(null, [app('READY', { exports: [op, 'running'] })])],
    [
      'image_app_stale',
      () => ofImage(image('CLONE', { clones: [], apps: [5] }), { apps: [app('LOCKED', { operation: op })] }),
    ],
  ]),
  ['image_app_stale', () => ofImage(image('CLONE', { clones: [], apps: [5] }))],
  ['image_app_stale', () => ofImage(image('USED', { apps: [5] }), { apps: [app('READY')] })],
  ...(['READY', 'DISABLED'] as const).flatMap((state): [FindingCode, () => Flaw[]][] => [
    ['app_without_bytes', () => ofMarket([], [app(state)])],
    ['app_without_bytes', () => ofMarket([{ key, bytes, whole: false }], [app(state)])],
    ['app_without_bytes', () => ofMarket([{ key, bytes: bytes - 1, whole: true }], [app(state)])],
  ]),
  ['app_bytes_orphaned', () => ofMarket(lies(key))],
  ['app_bytes_orphaned', () => ofMarket([{ key, bytes: 1, whole: false }])],
  // A key is never given twice: another one of that app is not known either.
  ['app_bytes_orphaned', () => ofMarket(lies(key.replaceAll('a', 'b')), [app('ERROR')])],
  ['market_unreachable', () => ofMarket({ error: 'no such bucket' }, [app('READY')])],
];
