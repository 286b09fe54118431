import { describe, expect, it } from 'vitest';
import { mayActOnApp } from '../../../domain/acts/app-acts.js';
import type { FactsOf } from '../../../domain/acts/facts.js';
import { type AppEvent, appStates, appStatesBefore, nextAppState } from '../../../domain/market/app-states.js';
import { AppState } from '../../../schemas/market/app.js';

const app = (over: Partial<FactsOf<'app'>>): FactsOf<'app'> => ({
  ...{ type: 'app', id: 7, name: 'debian', state: 'READY', reason: null, exports: [], upstream: false, work: null },
  ...over,
});
const refusal = (...asked: Parameters<typeof mayActOnApp>): string => {
  const verdict = mayActOnApp(...asked);
  return typeof verdict === 'string' ? verdict : verdict.detail;
};

describe('states of apps', () => {
  it('have a way to being gone from each, and to READY from each but by what nobody asked for', () => {
    for (const state of AppState.options) expect(nextAppState(state, 'remove'), state).toBe('LOCKED');
    const events: AppEvent[] = ['publish', 'published', 'fail', 'enable', 'disable', 'export', 'remove', 'fail_remove'];
    for (const from of AppState.options) {
      const reached = new Set<AppState>([from]);
      for (const state of reached)
        for (const event of events) {
          const next = nextAppState(state, event);
          if (next !== undefined) reached.add(next);
        }
      expect(reached, from).toContain('READY');
    }
  });

  it('say from where an event leads on', () => {
    expect(appStatesBefore('export')).toEqual(['READY']);
    expect(appStatesBefore('publish')).toEqual(['INIT', 'LOCKED', 'ERROR']);
    expect(Object.keys(appStates).sort()).toEqual([...AppState.options].sort());
  });
});

describe('what may be done to an app', () => {
  it('is said by its state, by what is at work on it, and by what is made of it', () => {
    expect(refusal(app({}), 'export')).toBe('may');
    expect(refusal(app({ state: 'DISABLED' }), 'export')).toBe('App 7 (debian) is disabled: enable it first.');
    expect(refusal(app({ state: 'ERROR', reason: 'no room' }), 'export')).toBe(
      'App 7 (debian) is in ERROR: no room. Try again what has failed, or delete it.',
    );
    expect(refusal(app({}), 'publish')).toBe('App 7 (debian) is READY: it was published already.');
    expect(refusal(app({ state: 'DISABLED' }), 'disable')).toBe('is so');
    expect(refusal(app({ exports: ['01A', '01B'] }), 'remove')).toBe(
      'App 7 (debian) is being exported, by operations 01A and 01B.',
    );
  });

  it('lets a deletion take over what publishes it, and no second one', () => {
    const work = (kind: 'publishApp' | 'deleteApp') => ({ op: '01K', kind, state: 'running' as const });
    expect(refusal(app({ state: 'LOCKED', work: work('publishApp') }), 'remove')).toBe('may');
    expect(refusal(app({ state: 'LOCKED', work: work('deleteApp') }), 'remove')).toMatch(/01K is removing app 7/);
    expect(refusal(app({ state: 'LOCKED', work: work('publishApp') }), 'export')).toMatch(/Wait for it or cancel it/);
  });

  it('leaves what is of a catalogue to the catalogue', () => {
    for (const wish of ['publish', 'remove'] as const)
      expect(refusal(app({ upstream: true }), wish)).toMatch(/of a catalogue of others/);
    expect(refusal(app({ upstream: true }), 'export')).toBe('may');
    expect(refusal(app({ upstream: true }), 'disable')).toBe('may');
  });
});
