import type { OperationState } from '../schemas/operations/operation.js';

const states: Readonly<Record<OperationState, 'open' | 'ended'>> = {
  accepted: 'open',
  running: 'open',
  waiting: 'open',
  waiting_for_you: 'open',
  succeeded: 'ended',
  failed: 'ended',
  cancelled: 'ended',
};
const isState = (name: string): name is OperationState => Object.hasOwn(states, name);

/** States in which an operation has not ended. */
export const openStates: readonly OperationState[] = Object.keys(states)
  .filter(isState)
  .filter((state) => states[state] === 'open');

export const isOpen = ({ state }: { state: OperationState }): boolean => states[state] === 'open';
export const hasEnded = ({ state }: { state: OperationState }): boolean => states[state] === 'ended';
