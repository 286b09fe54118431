import type { Child, ChildCommand, Children } from '../../runtime/processes/children.js';

/** What a process of a cluster is: its command, and how to tell that it serves. */
export type ClusterCommand = ChildCommand & { awaitReady: (child: Child) => Promise<unknown> };

/** One process of a cluster, to be killed, frozen and started again by a test. It ends with the test run, however that ends. */
export class ClusterProcess {
  readonly #children: Children;
  readonly #command: ClusterCommand;
  #child: Child;

  private constructor(children: Children, command: ClusterCommand) {
    this.#children = children;
    this.#command = command;
    this.#child = children.start(command);
  }

  /** Starts the process and waits until it serves. One that does not is ended. */
  static async start(children: Children, command: ClusterCommand): Promise<ClusterProcess> {
    const started = new ClusterProcess(children, command);
    try {
      await command.awaitReady(started.#child);
      return started;
    } catch (error) {
      await started.kill();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#child.hasEnded();
  }

  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void> {
    return this.#children.end(this.#child, 0);
  }

  /** SIGTERM; resolves when it has ended. */
  end(): Promise<void> {
    return this.#children.end(this.#child, 15_000);
  }

  /** SIGSTOP: it does nothing any more, and its connections stay open. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  /** SIGCONT. */
  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Starts it again, with the same data and at the same address; resolves when it serves. */
  async startAgain(): Promise<void> {
    this.#child = this.#children.start(this.#command);
    await this.#command.awaitReady(this.#child);
  }
}
