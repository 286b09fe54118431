import { type Automatic, passwordOf } from '../../domain/hosts/fencing-methods.js';
import { Problem, problemOf } from '../../domain/problems.js';
import type { SealedPlace } from '../../domain/sealed.js';
import type { Sealed } from '../../schemas/common/sealed.js';
import { commandOf } from './command.js';
import { domain } from './domain.js';
import { ipmi } from './ipmi.js';
import type { FencedHost, Fencing } from './port.js';
import { redfish } from './redfish.js';
import { readPower, type Switch, switched } from './switched.js';

/** `directory`: of programs; `open`: what opens passwords, each at each use. */
type Settings = { directory: string | undefined; open: (sealed: Sealed, place: SealedPlace) => string };

/** How each kind of method is carried out. */
export function fencing({ directory, open }: Settings): Fencing {
  /** One that cannot be opened is a method that fails: there may be others. */
  const opened = (host: FencedHost, method: Extract<Automatic, { password: Sealed }>): string => {
    try {
      return open(method.password, passwordOf(host.id, method));
    } catch (error) {
      const problem = problemOf(error);
      throw problem ? new Problem('not_fenced', problem.message) : error;
    }
  };
  const switchOf = (host: FencedHost, method: Exclude<Automatic, { kind: 'command' }>): Switch => {
    switch (method.kind) {
      case 'redfish':
        return redfish({ ...method, password: opened(host, method) });
      case 'ipmi':
        return ipmi({ ...method, password: opened(host, method) });
      case 'libvirt':
        return domain(method);
    }
  };
  return {
    status: async (host, method, signal) =>
      method.kind === 'command'
        ? commandOf(directory, host, method).status(signal)
        : readPower(switchOf(host, method), method.timeout, signal),
    off: async (host, method, signal) =>
      method.kind === 'command'
        ? commandOf(directory, host, method).turn('off', signal)
        : switched(switchOf(host, method), 'off', method.timeout, signal),
    on: async (host, method, signal) =>
      method.kind === 'command'
        ? commandOf(directory, host, method).turn('on', signal)
        : switched(switchOf(host, method), 'on', method.timeout, signal),
  };
}
