import type { Host, HostState } from '../../schemas/hosts/host.js';

export type HostEvent =
  /** A probe was answered, and nothing of before is left there; something is; or it was not answered. */
  | 'answer'
  | 'answer_unclear'
  | 'fall_silent'
  /** What administrators ask for. A host that is enabled has to answer before it takes VMs. */
  | 'enable'
  | 'disable'
  | 'offline';

type Row = Partial<Record<HostEvent, HostState>>;

/**
 * State → event → next state; an absent pair changes nothing. One that was disabled keeps that name whatever its probes
 * say; one that is offline is not probed. A host is enabled in INIT, MONITORED and ERROR: to enable it there has it looked
 * at at once.
 */
export const hostStates = {
  INIT: {
    answer: 'MONITORED',
    answer_unclear: 'INIT',
    fall_silent: 'ERROR',
    enable: 'INIT',
    disable: 'DISABLED',
    offline: 'OFFLINE',
  },
  MONITORED: { answer: 'MONITORED', fall_silent: 'ERROR', disable: 'DISABLED', offline: 'OFFLINE' },
  ERROR: {
    answer: 'MONITORED',
    answer_unclear: 'INIT',
    fall_silent: 'ERROR',
    enable: 'INIT',
    disable: 'DISABLED',
    offline: 'OFFLINE',
  },
  DISABLED: { enable: 'INIT', offline: 'OFFLINE' },
  OFFLINE: { enable: 'INIT', disable: 'DISABLED' },
} as const satisfies Record<HostState, Row>;

/** The state of a host after an event, or undefined where the event changes nothing. */
export function nextHostState(state: HostState, event: HostEvent): HostState | undefined {
  const row: Row = hostStates[state];
  return row[event];
}

/** States in which what a probe finds says what the host is. */
export const heardStates = (['INIT', 'MONITORED', 'ERROR', 'DISABLED', 'OFFLINE'] as const).filter(
  (state) => nextHostState(state, 'answer') !== undefined,
);

/** Whether monitoring hears nothing of it: it did not answer the last look, in maintenance or not, or is not asked. */
export const isSilent = ({ state, error }: Pick<Host, 'state' | 'error'>): boolean =>
  state === 'ERROR' || state === 'OFFLINE' || (state === 'DISABLED' && error !== null);

/** Whether nothing that a VM had there runs any more: it was fenced, or administrators have taken it offline, who know. */
export const isOff = ({ state, fenced }: Pick<Host, 'state' | 'fenced'>): boolean =>
  state === 'OFFLINE' || (fenced ?? null) !== null;
