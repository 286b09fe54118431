import type { CallName } from '../schemas/hosts/simulator.js';
import { chance } from './chance.js';
import type { HostRecord } from './state.js';

/** A fault that meets one call: `before` it does anything, or `after` its work, when only the answer is lost. */
export type Injected = {
  fault: 'dead' | 'deploy_error' | 'error_rate';
  when: 'before' | 'after';
  retryable: boolean;
  detail: string;
};

/** Which fault meets the next call of this VM, if any. The same host, seed and number of calls always give the same. */
export function injected(host: HostRecord, call: CallName | 'probe', vm: number, nth: number): Injected | null {
  const { dead, deploy_error, error_rate, error_when, seed } = host.faults;
  if (dead) return { fault: 'dead', when: 'before', retryable: true, detail: `No route to ${host.name}.` };
  if (call === 'deploy' && deploy_error) {
    const { retryable, detail } = deploy_error;
    return { fault: 'deploy_error', when: 'before', retryable, detail: `${host.name}: ${detail}` };
  }
  if (error_rate === 0 || chance(seed, host.name, call, vm, nth) >= error_rate) return null;
  const either = chance(seed, host.name, call, vm, nth, 'when') < 0.5 ? 'before' : 'after';
  return {
    fault: 'error_rate',
    when: error_when === 'either' ? either : error_when,
    retryable: true,
    detail: `${host.name}: the connection was lost.`,
  };
}
