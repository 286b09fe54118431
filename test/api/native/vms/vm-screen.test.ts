import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Screen } from '../../../../adapters/hypervisor/screen.js';
import { close, listen } from '../../../../api/http/serve.js';
import { problemRefusal } from '../../../../api/native/problem-refusal.js';
import { Problem } from '../../../../domain/problems.js';
import { limits } from '../../../../schemas/common/limits.js';
import { madeHost } from '../../../support/made-host.js';
import { madeVm } from '../../../support/made-vm.js';
import { eventually } from '../../../support/processes.js';
import { createWorld, type World } from '../../world.js';

let world: World;
let guest: Server;
const log: string[] = [];
/** Screens that are open, as their guest sees them. */
const seen: Socket[] = [];
let why: Problem | null = null;

const portOf = (server: Pick<Server, 'address'>): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
};
const screen: Screen = {
  password: 'pQ3_x-7z',
  async open() {
    const socket = connect(portOf(guest), '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  },
};

beforeAll(async () => {
  guest = createServer((socket) => {
    seen.push(socket);
    socket.on('error', () => {}).write('RFB 003.008\n');
    socket.on('data', (bytes) => socket.write(bytes));
  }).listen(0, '127.0.0.1');
  await once(guest, 'listening');
  world = await createWorld({
    ...{ withTemporal: false, log },
    screens: {
      async of() {
        if (why) throw why;
        return screen;
      },
    },
  });
  await world.store.hosts.model.create([madeHost({ _id: 0 })]);
  const stay = { seq: 0, hid: 0, hostname: 'host 0', vm_mad: 'libvirt', reason: 'none', epoch: 1 } as const;
  const { _id: uid = -1 } = (await world.directory.users.byName('alice')) ?? {};
  const history = [{ ...stay, stime: new Date(), etime: null }];
  await world.store.vms.model.create([
    ...[1, 2].map((_id) => madeVm({ _id, uid, history, state: 'ACTIVE', lcm_state: 'RUNNING' })),
    madeVm({ _id: 3, uid, history, state: 'POWEROFF', lcm_state: 'LCM_INIT' }),
  ]);
});
afterAll(async () => {
  await world?.stop();
  for (const socket of seen) socket.destroy();
  guest?.close();
});

const asked = async (who = 'alice', vm = 1) => (await world.ask(who, 'post', `/vms/${vm}/vnc`)).body;

/** What somebody hears who opens this path, and the WebSocket; or how he is refused. */
async function opened(path: string, { origin, port = portOf(world.server) }: { origin?: string; port?: number } = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, 'binary', { ...(origin && { origin }) });
  const heard: Buffer[] = [];
  socket.on('message', (data: Buffer) => heard.push(data));
  const refused = new Promise<unknown>((resolve) => {
    socket.on('unexpected-response', (sent, response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        sent.destroy();
        const { status, type, detail } = JSON.parse(text);
        resolve([status, type, detail]);
      });
    });
    socket.on('error', () => {});
  });
  const first = await Promise.race([once(socket, 'open').then(() => null), refused]);
  return { socket, refused: first, said: () => Buffer.concat(heard).toString('latin1') };
}

describe('the screen of a VM', () => {
  it('is handed through both ways to who shows its token, once', async () => {
    const { body, status, headers } = await world.ask('alice', 'post', '/vms/1/vnc');
    expect([status, headers['cache-control'], headers.etag]).toEqual([201, 'no-store', undefined]);
    expect(body).toMatchObject({
      vm: 1,
      password: 'pQ3_x-7z',
      path: expect.stringMatching(/^\/api\/v1\/vms\/1\/vnc\?/),
    });
    const { socket, said } = await opened(body.path);
    expect(socket.protocol).toBe('binary');
    await eventually(() => said() === 'RFB 003.008\n');
    socket.send(Buffer.from([0, 255, 10]));
    await eventually(() => said() === 'RFB 003.008\n\x00\xff\n');
    expect((await opened(body.path)).refused).toEqual([401, '/problems/not_authenticated', expect.any(String)]);
    // It ends when its guest does.
    seen.at(-1)?.destroy();
    await once(socket, 'close');
    // And the other way round.
    const again = await opened((await asked()).path);
    await eventually(() => again.said() !== '');
    again.socket.close();
    const its = seen.at(-1);
    await eventually(() => its?.destroyed === true);
  });

  it('is told of in no log, and kept as a hash', async () => {
    const { path } = await asked();
    await opened(path).then(({ socket }) => socket.terminate());
    const unused = await asked();
    const secrets = [path, unused.path].map((one: string) => one.split('token=')[1] ?? '');
    await eventually(() => log.some((line) => line.includes('GET 101')));
    const kept = JSON.stringify(await world.store.screenTokens.model.find().lean().exec());
    for (const secret of [...secrets, 'pQ3_x-7z']) {
      expect(secret.length).toBeGreaterThan(7);
      expect([log.join('').includes(secret), kept.includes(secret)]).toEqual([false, false]);
    }
    expect(log.join('')).toContain('/vms/1/vnc?token=…');
  });

  it('is refused with what has expired, is of another VM, or is nothing', async () => {
    const refused = [401, '/problems/not_authenticated', expect.stringMatching(/wrong, was used, has expired/)];
    const { path } = await asked();
    expect((await opened(path.replace('/vms/1/', '/vms/2/'))).refused).toEqual(refused);
    const late = await asked();
    await world.store.screenTokens.model.updateMany({}, { $set: { expires_at: new Date(Date.now() - 1) } });
    expect((await opened(late.path)).refused).toEqual(refused);
    expect((await opened('/api/v1/vms/1/vnc?token=x')).refused).toEqual(refused);
    expect((await opened('/api/v1/vms/1/vnc')).refused).toEqual([400, '/problems/invalid_request', expect.any(String)]);
    expect((await opened('/api/v1/vms/x/vnc?token=x')).refused).toEqual([
      400,
      '/problems/invalid_request',
      expect.any(String),
    ]);
    expect((await opened('/api/v1/vms')).refused).toEqual([401, '/problems/not_authenticated', expect.any(String)]);
  });

  it('is for who may MANAGE the VM, when it is asked for and when it is opened', async () => {
    expect(await asked('bob')).toMatchObject({ status: 403, type: '/problems/not_authorized' });
    expect(await asked('alice', 99)).toMatchObject({ status: 404 });
    const { path } = await asked();
    await world.store.vms.model.updateOne({ _id: 1 }, { $set: { uid: 0 } });
    expect((await opened(path)).refused).toEqual([403, '/problems/not_authorized', expect.any(String)]);
    const { _id: alice = -1 } = (await world.directory.users.byName('alice')) ?? {};
    await world.store.vms.model.updateOne({ _id: 1 }, { $set: { uid: alice } });
  });

  it('is there while the VM runs, as its host says', async () => {
    expect(await asked('alice', 3)).toMatchObject({
      ...{ status: 409, type: '/problems/wrong_state', detail: 'VM 3 is POWEROFF: its screen is there while it runs.' },
    });
    const { path } = await asked();
    why = new Problem('wrong_state', 'VM 1 does not run on host 0: its screen is there while it does.');
    expect(await asked()).toMatchObject({ status: 409, detail: why.message });
    expect((await opened(path)).refused).toEqual([409, '/problems/wrong_state', why.message]);
    why = null;
  });

  it('is not opened by pages of other sites', async () => {
    const { path } = await asked();
    expect((await opened(path, { origin: 'http://evil.example' })).refused).toMatchObject({ 0: 403 });
    const ours = await opened(path, { origin: `http://127.0.0.1:${portOf(world.server)}` });
    expect(ours.refused).toBeNull();
    ours.socket.terminate();
  });

  it('is opened so often at once, and asked for so often', async () => {
    const { most } = limits.screens;
    await eventually(async () => seen.every(({ destroyed }) => destroyed));
    const sockets = [];
    for (let n = 0; n < most; n += 1) sockets.push((await opened((await asked()).path)).socket);
    const { path } = await asked();
    expect((await opened(path)).refused).toEqual([409, '/problems/wrong_state', expect.any(String)]);
    for (const socket of sockets) socket.terminate();
    await eventually(async () => seen.every(({ destroyed }) => destroyed));
    const [first] = [await asked()];
    for (let n = 0; n < limits.screenTokens.most; n += 1) await asked();
    expect((await opened(first.path)).refused).toMatchObject({ 0: 401 });
    expect(await world.store.screenTokens.model.countDocuments()).toBeLessThanOrEqual(limits.screenTokens.most);
  });

  it('is closed by a server that ends, which waits for nobody there', async () => {
    const server = await listen(world.app, { port: 0, address: '127.0.0.1', refusalOf: problemRefusal });
    const { socket, said } = await opened((await asked()).path, { port: portOf(server) });
    await eventually(() => said() !== '');
    const closed = once(socket, 'close');
    await close(server);
    await closed;
    const its = seen.at(-1);
    await eventually(() => its?.destroyed === true);
  });

  it('leaves nothing open of who goes away before it is there', async () => {
    const { path } = await asked();
    const { open } = screen;
    const gone = new Promise<Duplex>((resolve) => {
      screen.open = async (signal) => {
        const bytes = await open(signal);
        raw.destroy();
        await once(raw, 'close');
        resolve(bytes);
        return bytes;
      };
    });
    const raw = connect(portOf(world.server), '127.0.0.1', () => raw.write(handshake(path)));
    raw.on('error', () => {});
    const bytes = await gone;
    screen.open = open;
    await eventually(() => bytes.destroyed);
  });
});

const handshake = (path: string): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n');

describe('a request that asks for another protocol', () => {
  it('is answered as if it had not, with what it sends', async () => {
    const body = JSON.stringify({ name: 'c-h2c' });
    const head = [
      'POST /api/v1/clusters HTTP/1.1',
      'Host: 127.0.0.1',
      `Authorization: Basic ${Buffer.from('oneadmin:oneadmin').toString('base64')}`,
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(portOf(world.server), '127.0.0.1', () => {
        socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
        // What comes later is read, too, and the next request on the same connection.
        setImmediate(() =>
          socket.write(`${body.slice(5)}GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`),
        );
      });
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text)).on('error', reject);
    });
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 201', 'HTTP/1.1 200']);
  });

  it('is nothing but a request of that path without asking for it', async () => {
    const { status, headers } = await world.ask('alice', 'get', '/vms/1/vnc?token=x');
    expect([status, headers.allow]).toEqual([405, 'POST, OPTIONS']);
    const options = await request(world.server).options('/api/v1/vms/1/vnc').auth('alice', 'alice');
    expect(options.headers.allow).not.toContain('GET');
  });
});
