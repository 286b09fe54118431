import type { App, AppState } from '../../schemas/market/app.js';

/** An app whose names and state are judged: a try of anything on it raises the epoch. */
type AppSeen = { market: number; app: number } & Pick<App, 'epoch' | 'operation' | 'wanted'>;
type AppNames = { market: number; app: number; op: string };

/** What was seen of flaws of marketplaces and their apps. */
export type MarketEvidence = {
  app_abandoned: AppSeen & { state: AppState };
  app_operation_stale: AppNames;
  app_wanted_stale: AppNames;
  app_export_stale: AppNames;
  /** `lacking`: what of it is not there as it was published. */
  app_without_bytes: { market: number; app: number; epoch: number; lacking: string[] };
  app_bytes_orphaned: { market: number; key: string; bytes: number; whole: boolean };
  market_unreachable: { market: number; name: string; error: string };
  /** `operation`: what the app names; null: nothing, or the app is not there. */
  image_app_stale: { image: number; app: number; operation: string | null; is: AppState | null };
};
