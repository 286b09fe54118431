import { EventEmitter } from 'node:events';

/** Wakes calls that wait: for their guest to boot, or for a host to answer again. */
export class Changes {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  host(name: string): void {
    this.#emitter.emit(`host ${name}`);
  }

  vm(host: string, vm: number): void {
    this.#emitter.emit(`vm ${vm} ${host}`);
  }

  everything(): void {
    for (const event of this.#emitter.eventNames()) this.#emitter.emit(event);
  }

  /** How many calls wait at this host. One whose caller hung up is not among them any more. */
  waiting(host: string): number {
    return this.#emitter.listenerCount(`host ${host}`);
  }

  /** Resolves after some milliseconds (null: never), when the host or this VM on it changes, or when the signal aborts. */
  wait(host: string, vm: number | null, milliseconds: number | null, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const events = [`host ${host}`, ...(vm === null ? [] : [`vm ${vm} ${host}`])];
      const timer = milliseconds === null ? undefined : setTimeout(wake, Math.max(1, milliseconds));
      for (const event of events) this.#emitter.on(event, wake);
      signal.addEventListener('abort', wake);
      const emitter = this.#emitter;
      function wake(): void {
        clearTimeout(timer);
        for (const event of events) emitter.off(event, wake);
        signal.removeEventListener('abort', wake);
        resolve();
      }
    });
  }
}
