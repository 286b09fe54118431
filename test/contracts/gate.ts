import type { OnProgress } from '../../adapters/storage/port.js';

/** Holds something up in the middle, until it is opened; tells when as many bytes have been written. */
export class Gate {
  open: () => void = () => {};
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
  #saw: () => void = () => {};
  readonly seen = new Promise<void>((resolve) => {
    this.#saw = resolve;
  });

  see(bytes: number): OnProgress {
    return ({ done }) => {
      if (done >= bytes) this.#saw();
    };
  }
}
