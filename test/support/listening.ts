import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type Listening = { name: string; address: string; port: number };

const lines = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n').slice(1);

/** `0100007F` is 127.0.0.1; of IPv6, only loopback has a name here. */
function addressOf(hex: string): string {
  if (hex.length === 8) return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.');
  return hex === '00000000000000000000000001000000' ? '::1' : hex;
}

/** Where these processes listen, by what Linux says of them. */
export function listeningOf(processes: readonly { name: string; pid: number }[]): Listening[] {
  const sockets = new Map<string, { address: string; port: number }>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6'])
    for (const line of lines(file)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      if (state === '0A') sockets.set(inode, { address: addressOf(address), port: Number.parseInt(port, 16) });
    }
  return processes.flatMap(({ name, pid }) =>
    readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      const [, inode = ''] = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${descriptor}`)) ?? [];
      const socket = sockets.get(inode);
      return socket ? [{ name, ...socket }] : [];
    }),
  );
}

/** One that has been closed since it was listed leads nowhere. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
