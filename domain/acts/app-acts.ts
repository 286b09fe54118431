import type { AppState } from '../../schemas/market/app.js';
import { takesAway } from '../../schemas/operations.js';
import { type AppEvent, nextAppState } from '../market/app-states.js';
import { few } from '../words.js';
import type { FactsOf } from './facts.js';
import { type MayRetryOn, whereThere } from './retrying.js';
import { inTheWay, type Verdict, wrongState } from './verdict.js';

type App = FactsOf<'app'>;

/** What can be done to an app that is there, each by the event that it is. */
export type AppWish = Extract<AppEvent, 'publish' | 'export' | 'remove' | 'enable' | 'disable'>;

/** What it is already that somebody wishes it to be. */
const already: Partial<Record<AppWish, AppState>> = { disable: 'DISABLED', enable: 'READY' };

/** What is not done to an app of a catalogue of others. */
const ofOurs: readonly AppWish[] = ['publish', 'remove'];

/** Whether this may be done to an app now; one table says it, that of its states. */
export function mayActOnApp(app: App, wish: AppWish): Verdict {
  const { id, name, state, work, exports, upstream } = app;
  const it = `App ${id} (${name})`;
  if (already[wish] === state) return 'is so';
  if (upstream && ofOurs.includes(wish))
    return wrongState(`${it} is of a catalogue of others, which is read: disable it, or its marketplace.`);
  if (wish === 'remove') {
    if (work?.kind && takesAway(work.kind))
      return inTheWay(work, `Operation ${work.op} is removing app ${id} (${name}).`);
    if (exports.length > 0)
      return wrongState(
        `${it} is being exported, by ${exports.length === 1 ? 'operation' : 'operations'} ${few(exports)}.`,
      );
    // What publishes it gives way.
    return nextAppState(state, 'remove') ? 'may' : wrongState(`${it} is ${state}.`);
  }
  if (work) return inTheWay(work, `Operation ${work.op} is at work on app ${id} (${name}). Wait for it or cancel it.`);
  return nextAppState(state, wish) ? 'may' : wrongState(whyNot(it, app, wish));
}

function whyNot(it: string, { state, reason }: App, wish: AppWish): string {
  if (state === 'ERROR')
    return `${it} is in ERROR${reason ? `: ${reason}` : ''}. Try again what has failed, or delete it.`;
  if (wish === 'publish') return `${it} is ${state}: it was published already.`;
  if (wish === 'export' && state === 'DISABLED') return `${it} is disabled: enable it first.`;
  return `${it} is ${state}.`;
}

export const appRetries: MayRetryOn<'app'> = {
  publishApp: whereThere('app', (app) => mayActOnApp(app, 'publish')),
  deleteApp: whereThere('app', (app) => mayActOnApp(app, 'remove')),
};
