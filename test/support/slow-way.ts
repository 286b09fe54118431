import { connect, createServer, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { choosePort } from '../../runtime/processes/ports.js';

/** A way to a server on loopback: what goes there, and what comes back, is counted, and takes its time. */
export class SlowWay {
  /** Milliseconds that each piece, of 64 KiB at most, takes to get there. */
  pause = 0;
  /** The same of what comes back. */
  pauseBack = 0;
  /** Bytes that have gone there. */
  sent = 0;
  /** Bytes that have come back. */
  received = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly port: number,
    to: number,
  ) {
    this.#server = createServer((near) => {
      const far = connect(to, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {
          near.destroy();
          far.destroy();
        });
        socket.once('close', () => this.#sockets.delete(socket));
      }
      const there = this.#slowly(
        () => this.pause,
        (bytes) => {
          this.sent += bytes;
        },
      );
      const back = this.#slowly(
        () => this.pauseBack,
        (bytes) => {
          this.received += bytes;
        },
      );
      near.pipe(there).pipe(far);
      far.pipe(back).pipe(near);
    });
  }

  #slowly(pause: () => number, told: (bytes: number) => void): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const gone = (): void => {
          told(chunk.length);
          done(null, chunk);
        };
        if (pause() === 0) gone();
        else void sleep(pause()).then(gone);
      },
    });
  }

  static async to(port: number): Promise<SlowWay> {
    const way = new SlowWay(await choosePort(), port);
    await new Promise<void>((resolve) => {
      way.#server.listen(way.port, '127.0.0.1', resolve);
    });
    return way;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
