import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { built } from '../../adapters/process/checkout.js';
import { type JournalEntry, JournalPage, SimulatedDomain, SimulatedHosts } from '../../schemas/hosts/simulator.js';

const program = built('simulator/main.js');
const HostWithDomains = z.object({ domains: z.array(SimulatedDomain) });

/** For ever, as far as tests go: such a boot ends when `endBoots` is called, so that nothing depends on how long the rest takes. */
const held = { boot_ms: 86_400_000 };

/** `arcus-sim` as a process of its own, on a directory of its own, to be killed and started again by a test. */
export class SimulatorProcess {
  readonly directory: string;
  #child: ChildProcess | null = null;
  #port = 0;
  #said = '';

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** A new one that serves, in a directory of its own unless one is given; `settings` are set at once, boot time 0 unless they say otherwise. */
  static async start(settings: object = {}, directory?: string): Promise<SimulatorProcess> {
    const simulator = new SimulatorProcess(directory ?? mkdtempSync(join(tmpdir(), 'arcus-simulator-')));
    try {
      await simulator.startAgain();
      await simulator.send('PUT', '/settings', { boot_ms: 0, shutdown_ms: 0, ...settings });
      return simulator;
    } catch (error) {
      await simulator.dispose();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What it asks for. It is there once it serves. */
  get token(): string {
    return readFileSync(join(this.directory, 'token'), 'utf8').trim();
  }

  /** What an adapter needs. */
  get address(): { url: string; token: string } {
    return { url: this.url, token: this.token };
  }

  /** What a process needs in its environment. */
  get settings(): { ARCUS_SIMULATOR_URL: string; ARCUS_SIMULATOR_TOKEN: string } {
    return { ARCUS_SIMULATOR_URL: this.url, ARCUS_SIMULATOR_TOKEN: this.token };
  }

  /** What it has logged. */
  said(): string {
    return this.#said;
  }

  get hasEnded(): boolean {
    const child = this.#child;
    return child === null || child.exitCode !== null || child.signalCode !== null;
  }

  /** Serves again, at the same address, from the same directory. */
  async startAgain(): Promise<void> {
    const child = spawn(process.execPath, [program, '--port', String(this.#port), '--directory', this.directory], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    // No guardian watches it. Whoever ends without having ended it takes it along.
    const takeAlong = () => child.kill('SIGKILL');
    process.on('exit', takeAlong);
    child.once('close', () => process.off('exit', takeAlong));
    this.#port = await new Promise<number>((resolve, reject) => {
      let said = '';
      const listen = (part: Buffer): void => {
        said += part.toString();
        this.#said += part.toString();
        const port = /"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(said)?.[1];
        if (port !== undefined) resolve(Number(port));
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('error', reject);
      child.once('close', (code) => reject(new Error(`the simulator ended with ${code}: ${said}`)));
    });
  }

  /** Ends the process by this signal and waits for its end: its exit code, null after a kill. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    return new Promise((resolve) => {
      child.once('close', (code) => resolve(code));
      child.kill(signal);
    });
  }

  async dispose(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A request to its HTTP face; a string is sent as it is. */
  async send(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const init = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const headers = { authorization: `Bearer ${this.token}` };
    const response = await fetch(`${this.url}${path}`, { method, headers, ...init });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** The same, for an answer that must be a good one of this shape. */
  async ask<T extends z.ZodType>(answer: T, method: string, path: string, body?: unknown): Promise<z.infer<T>> {
    const got = await this.send(method, path, body);
    if (got.status >= 300) throw new Error(`${method} ${path}: ${got.status} ${JSON.stringify(got.body)}`);
    return answer.parse(got.body);
  }

  /** From now on VMs go on booting until `endBoots`. */
  async holdBoots(): Promise<void> {
    await this.send('PUT', '/settings', held);
  }

  /** Lets every VM run that is booting; those to come take `boot_ms`. */
  async endBoots(boot_ms = 0): Promise<void> {
    await this.send('PUT', '/settings', { boot_ms });
    const { items } = await this.ask(SimulatedHosts, 'GET', '/hosts');
    for (const { name } of items) {
      const host = `/hosts/${encodeURIComponent(name)}`;
      const { domains } = await this.ask(HostWithDomains, 'GET', host);
      for (const { vm, state } of domains)
        if (state === 'booting') await this.send('PUT', `${host}/vms/${vm}`, { state: 'running' });
    }
  }

  /** Every call so far, read page by page. */
  async journal(query = ''): Promise<JournalEntry[]> {
    const entries: JournalEntry[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page: z.infer<typeof JournalPage> = await this.ask(JournalPage, 'GET', `/journal?after=${after}${query}`);
      entries.push(...page.items);
      after = page.next_after;
    }
    return entries;
  }
}
