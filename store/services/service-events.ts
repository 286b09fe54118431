import { nextServiceState, type ServiceEvent } from '../../domain/services/service-states.js';
import { ServiceState } from '../../schemas/services/service.js';

/** States in which an event may happen: what a guard filters on. */
export const accepting = (event: ServiceEvent, next: typeof nextServiceState): ServiceState[] =>
  ServiceState.options.filter((state) => next(state, event) !== undefined);

/** The state that an event leads to: to the same one, wherever it is legal. */
export function target(event: ServiceEvent): ServiceState {
  for (const state of ServiceState.options) {
    const next = nextServiceState(state, event);
    if (next !== undefined) return next;
  }
  throw new Error(`no state accepts ${event}`);
}
