import type { SshConnection } from './connection.js';

/** Seconds: until a machine is said not to answer, and as long as a connection that nobody uses is kept. */
const seconds = { connect: 8, alive: 5, kept: 60 } as const;
/** Signs of life that may stay away, one after the other. */
const missed = 3;

/** Options of ssh by which nothing is asked of people, nothing of this user's is used, and no key is believed that was not given. */
export function optionsOf(
  { port, user }: Pick<SshConnection, 'port' | 'user'>,
  alias: string,
  knownHosts: string,
): string[] {
  const options = {
    BatchMode: 'yes',
    PreferredAuthentications: 'publickey',
    StrictHostKeyChecking: 'yes',
    HostKeyAlias: alias,
    UserKnownHostsFile: knownHosts,
    GlobalKnownHostsFile: '/dev/null',
    UpdateHostKeys: 'no',
    CheckHostIP: 'no',
    ForwardAgent: 'no',
    ClearAllForwardings: 'yes',
    PermitLocalCommand: 'no',
    ConnectTimeout: String(seconds.connect),
    ServerAliveInterval: String(seconds.alive),
    ServerAliveCountMax: String(missed),
    TCPKeepAlive: 'yes',
    LogLevel: 'ERROR',
  };
  return ['-F', 'none', ...set(options), '-p', String(port), '-l', user];
}

/** A connection that others go through, and that ends by itself a while after the last of them. */
export const masterOptions = (socket: string): string[] => [
  ...['-M', '-N', '-f'],
  ...set({ ControlMaster: 'yes', ControlPath: socket, ControlPersist: String(seconds.kept) }),
];

/** Through that connection or not at all: one of its own would ask for the key again, which is not there any more. */
export const sharedOptions = (socket: string): string[] => [
  '-T',
  ...set({ ControlMaster: 'no', ControlPath: socket, ProxyCommand: 'false' }),
];

/** Whether ssh says of a shared connection that there was none: then nothing has begun. One that is cut in between has no words. */
export const isConnectionGone = (said: string): boolean =>
  /Control socket connect|kex_exchange_identification|UNKNOWN port/.test(said) && !/Session open refused/.test(said);

const set = (options: Readonly<Record<string, string>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
