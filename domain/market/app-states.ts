import type { AppState } from '../../schemas/market/app.js';

export type AppEvent =
  /** It is being published, once more perhaps; is there; or could not be. */
  | 'publish'
  | 'published'
  | 'fail'
  /** What administrators and owners ask for. */
  | 'enable'
  | 'disable'
  /** Something is made of it. */
  | 'export'
  /** It is being removed; what was left of it could not be. */
  | 'remove'
  | 'fail_remove';

type Row = Partial<Record<AppEvent, AppState>>;

/** State → event → next state; an absent pair is illegal. A state on the way accepts its own event again, for a second run. */
export const appStates = {
  INIT: { publish: 'LOCKED', remove: 'LOCKED' },
  LOCKED: { publish: 'LOCKED', published: 'READY', fail: 'ERROR', remove: 'LOCKED', fail_remove: 'ERROR' },
  READY: { export: 'READY', disable: 'DISABLED', remove: 'LOCKED' },
  ERROR: { publish: 'LOCKED', remove: 'LOCKED' },
  DISABLED: { enable: 'READY', remove: 'LOCKED' },
} as const satisfies Record<AppState, Row>;

/** The state of an app after an event, or undefined where that is illegal. */
export function nextAppState(state: AppState, event: AppEvent): AppState | undefined {
  const row: Row = appStates[state];
  return row[event];
}

const isState = (name: string): name is AppState => Object.hasOwn(appStates, name);
const allStates: readonly AppState[] = Object.keys(appStates).filter(isState);

/** The states that an event leads on from. */
export const appStatesBefore = (event: AppEvent): AppState[] =>
  allStates.filter((state) => nextAppState(state, event) !== undefined);
