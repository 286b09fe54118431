import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { type Run, runHere } from '../../adapters/network/linux/run.js';
import { built } from '../../adapters/process/checkout.js';
import { eventually } from './processes.js';
import { ensurePrograms } from './programs.js';

/** Why hosts cannot be network namespaces here; null: they can. It is printed, so that nobody takes what is left out for what was run. */
export function namespacesFault(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'network namespaces are for root to make';
  ensurePrograms('network');
  const name = `arcus-${randomBytes(3).toString('hex')}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0)
    return 'this machine does not let network namespaces be made';
  const inIt = (program: string, ...words: string[]) => spawnSync('ip', ['netns', 'exec', name, program, ...words]);
  try {
    if (inIt('ip', 'link', 'add', 'name', 'br', 'type', 'bridge').status !== 0) return 'the kernel has no bridges';
    if (inIt('nft', 'add', 'table', 'bridge', 'arcus').status !== 0) return 'the kernel has no nftables for bridges';
    return null;
  } finally {
    spawnSync('ip', ['netns', 'del', name]);
  }
}

const run = (...words: string[]): string => {
  const [program = '', ...rest] = words;
  return execFileSync(program, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
};

/** A network namespace, which is a host or a guest; gone with `remove`. */
export class Namespace {
  readonly name = `arcus-${randomBytes(4).toString('hex')}`;
  readonly #children: ReturnType<typeof spawn>[] = [];

  constructor() {
    run('ip', 'netns', 'add', this.name);
    this.do('ip', 'link', 'set', 'lo', 'up');
  }

  /** Runs a program in it; what it says. */
  do(...words: string[]): string {
    return run('ip', 'netns', 'exec', this.name, ...words);
  }

  /** As the adapter is to run its programs there. */
  readonly run: Run = (program, given, input, signal) =>
    runHere('ip', ['netns', 'exec', this.name, program, ...given], input, signal);

  /** What a guest that runs in it says of one attempt. `from`: its own port, of UDP. */
  async asks(how: 'tcp' | 'udp', host: string, port: number, from = 0): Promise<string> {
    const ran = await runHere(
      'ip',
      ['netns', 'exec', this.name, process.execPath, built('test/contracts/guest.js'), how, host, `${port}`, `${from}`],
      '',
      new AbortController().signal,
    );
    return ran.stdout.trim();
  }

  /** Whether an echo request is answered. */
  async pings(host: string): Promise<boolean> {
    const given = ['netns', 'exec', this.name, 'ping', '-n', '-c', '1', '-W', '1', host];
    return (await runHere('ip', given, '', new AbortController().signal)).exitCode === 0;
  }

  /** Resolves when somebody answers: what is on its way on a busy machine may be late. */
  async reaches(how: 'tcp' | 'udp' | 'icmp', host: string, port = 0, from = 0): Promise<void> {
    await eventually(async () =>
      how === 'icmp' ? await this.pings(host) : (await this.asks(how, host, port, from)) === 'answers',
    );
  }

  /** A program that runs in it until it is removed. Resolves with who hears what it says, once it has said something. */
  async runs(...words: string[]): Promise<{ next: () => Promise<string>; say: (line: string) => void }> {
    const given = ['netns', 'exec', this.name, process.execPath, built('test/contracts/guest.js'), ...words];
    const child = spawn('ip', given, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { value } = await lines.next();
      return typeof value === 'string' ? value : 'nothing';
    };
    await next();
    return { next, say: (line) => void child.stdin.write(`${line}\n`) };
  }

  remove(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    run('ip', 'netns', 'del', this.name);
  }
}

/** A cable: a card in each. */
export function cable(one: Namespace, its: string, other: Namespace, others: string): void {
  run('ip', 'link', 'add', its, 'netns', one.name, 'type', 'veth', 'peer', 'name', others, 'netns', other.name);
  one.do('ip', 'link', 'set', its, 'up');
  other.do('ip', 'link', 'set', others, 'up');
}
