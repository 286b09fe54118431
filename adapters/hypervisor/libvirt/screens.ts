import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { Problem } from '../../../domain/problems.js';
import { limits } from '../../../schemas/common/limits.js';
import type { ScreensOf } from '../screen.js';
import { type LibvirtHost, Site } from './site.js';
import { sshLogin } from './ssh-words.js';

/** Where a screen listens, as seen from its host. */
type Display = { address: string; port: number; password: string | null };

/** The screens of guests of libvirt, each where its definition says that it is now. */
export function libvirtScreens(installation: string): ScreensOf<'libvirt'> {
  const sites = new Map<string, Site>();
  return async ({ id, host }, signal) => {
    signal.throwIfAborted();
    const key = JSON.stringify([host.name, host.connection]);
    const site = sites.get(key) ?? Site.at(host, installation);
    sites.set(key, site);
    const listed = await site.find(id, signal);
    if (listed?.state !== 'running') throw away(id, host.name);
    const { text, refusal } = await site.virsh.ask(['dumpxml', listed.uuid, '--security-info'], signal);
    if (refusal !== null) throw away(id, host.name);
    const display = displayIn(text);
    if (!display)
      throw new Problem('wrong_state', `VM ${id} has no screen: its template names none (GRAPHICS, TYPE = VNC).`);
    return { password: display.password, open: (within) => opened(host, display, within) };
  };
}

const away = (id: number, host: string): Problem =>
  new Problem('wrong_state', `VM ${id} does not run on ${host}: its screen is there while it does.`);

const parser = new XMLParser({
  ...{ ignoreAttributes: false, attributeNamePrefix: '@', parseTagValue: false, processEntities: false },
  isArray: (name) => name === 'graphics' || name === 'listen',
});
const Definition = z.object({
  domain: z.object({
    devices: z.object({
      graphics: z
        .array(
          z.object({
            '@type': z.string(),
            '@port': z.string().optional(),
            '@passwd': z.string().optional(),
            listen: z.array(z.union([z.object({ '@address': z.string().optional() }), z.literal('')])).default([]),
          }),
        )
        .default([]),
    }),
  }),
});

/** null: it has none. */
export function displayIn(definition: string): Display | null {
  const parsed = Definition.safeParse(parser.parse(definition));
  const screen = parsed.data?.domain.devices.graphics.find((one) => one['@type'] === 'vnc');
  const port = Number(screen?.['@port']);
  if (!screen || !(port > 0)) return null;
  const [address] = screen.listen.flatMap((listen) => (listen === '' ? [] : (listen['@address'] ?? [])));
  return { address: nearest(address ?? '127.0.0.1'), port, password: screen['@passwd'] ?? null };
}

/** What listens everywhere listens there, too. */
const nearest = (address: string): string => (address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address);

function opened(host: LibvirtHost, display: Display, signal: AbortSignal): Promise<Duplex> {
  const url = new URL(host.connection.uri);
  if (url.protocol === 'qemu:' || url.protocol === 'qemu+unix:') return overSocket(host.name, display, signal);
  if (url.protocol === 'qemu+ssh:') return overSsh(host.name, url, display, signal);
  throw new Problem(
    'not_implemented',
    `${host.name} is reached over TLS: screens are handed through from this machine and over ssh alone.`,
  );
}

const silent = (name: string, why: string): Problem =>
  new Problem('backend_unavailable', `The screen on ${name} cannot be reached: ${why.slice(0, limits.quoted.most)}.`);

async function overSocket(name: string, { address, port }: Display, signal: AbortSignal): Promise<Duplex> {
  const socket = connect({ host: address, port, keepAlive: true, noDelay: true });
  try {
    await once(socket, 'connect', { signal });
  } catch (error) {
    socket.destroy();
    throw silent(name, error instanceof Error ? error.message : String(error));
  }
  return socket;
}

/** The words by which ssh hands through to a port of the host. */
export const sshWords = (url: URL, { address, port }: Pick<Display, 'address' | 'port'>): string[] =>
  sshLogin(url, ['-W', `${address.includes(':') ? `[${address}]` : address}:${port}`]);

/** ssh says nothing when it is through: who is there is heard by what the screen says first. */
async function overSsh(name: string, url: URL, display: Display, signal: AbortSignal): Promise<Duplex> {
  const { PATH, HOME, SSH_AUTH_SOCK } = process.env;
  const child = spawn('ssh', sshWords(url, display), {
    stdio: 'pipe',
    env: { PATH, HOME, LC_ALL: 'C.UTF-8', ...(SSH_AUTH_SOCK && { SSH_AUTH_SOCK }) },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-limits.quoted.most);
  });
  child.stdin.on('error', () => {});
  const screen = Duplex.from({ readable: child.stdout, writable: child.stdin });
  screen.once('close', () => child.kill('SIGKILL'));
  child.once('error', (error) => screen.destroy(error));
  try {
    await Promise.race([
      once(child.stdout, 'readable', { signal }),
      once(child, 'close', { signal }).then(() => Promise.reject(new Error(said.trim().split('\n').at(-1) ?? ''))),
    ]);
    if (child.stdout.readableLength === 0) throw new Error(said.trim().split('\n').at(-1) || 'it says nothing');
  } catch (error) {
    screen.on('error', () => {}).destroy();
    throw silent(name, error instanceof Error ? error.message : String(error));
  }
  return screen;
}
