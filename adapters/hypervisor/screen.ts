import type { Duplex } from 'node:stream';
import type { HypervisorKind } from '../../schemas/hosts/host.js';
import type { HostTarget } from './port.js';

/** The screen of a guest that runs. */
export type Screen = {
  /** By which it is opened; null: it asks for none. */
  password: string | null;
  /** What it says and is told, in RFB. It ends when its guest does. */
  open(signal: AbortSignal): Promise<Duplex>;
};

/** Finds the screen of a VM on its host. Throws `wrong_state` where it does not run there, or has none; `not_implemented` where screens of such a host are not reached. */
export type ScreensOf<K extends HypervisorKind> = (
  vm: { id: number; host: HostTarget<K> },
  signal: AbortSignal,
) => Promise<Screen>;
