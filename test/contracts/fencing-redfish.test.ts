import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Power } from '../../adapters/fencing/port.js';
import { problemOf } from '../../domain/problems.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { makeCertificate } from '../support/certificates.js';
import { bmcPassword, bmcUser, SushyEmulator } from '../support/redfish.js';
import { makeCertificates } from '../support/tls-proxy.js';
import { fencedHost, fencingContract, openFencing, storedMethod } from './fencing-contract.js';

const [first, second] = ['27946b59-9e44-4fa7-8e91-f3527a1ef094', '27946b59-9e44-4fa7-8e91-f3527a1ef095'];
const signal = new AbortController().signal;
const method = (address: string, over: object = {}) => ({
  ...{ kind: 'redfish', address, user: bmcUser, password: bmcPassword, timeout: 30 },
  ...over,
});
/** Of an emulated system, whose changes come about when it is looked at. */
async function stateOf(url: string, system: string): Promise<Power> {
  const headers = { authorization: `Basic ${Buffer.from(`${bmcUser}:${bmcPassword}`).toString('base64')}` };
  const answer = await fetch(`${url}/redfish/v1/Systems/${system}`, { headers });
  const { PowerState } = z.object({ PowerState: z.string() }).parse(await answer.json());
  return PowerState === 'On' ? 'on' : 'off';
}
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});
async function serverOf(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

describe('a BMC by Redfish', () => {
  let bmc: SushyEmulator;
  const ways: Record<string, readonly [object, RegExp]> = {};
  const failing = [
    'nobody listens',
    'it is silent',
    'the password is wrong',
    'there is no such system',
    'it leads elsewhere',
    'it says too much',
    'it says nothing of Redfish',
    'it repeats what it was sent',
  ];
  beforeAll(async () => {
    bmc = await SushyEmulator.start({ systems: [{ uuid: first, name: 'host-3', power_state: 'On' }] });
    const elsewhere = await serverOf((_, response) => response.writeHead(307, { location: bmc.url }).end());
    const flood = await serverOf((_, response) => {
      response.on('error', () => {});
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        response.once('drain', more);
      };
      more();
    });
    const words = await serverOf((_, response) => response.end('<html>welcome</html>'));
    const echo = await serverOf(({ headers }, response) => {
      const message = `no: ${headers.authorization} ${bmcPassword}\u001b[31m`;
      response.writeHead(400).end(JSON.stringify({ error: { message } }));
    });
    Object.assign(ways, {
      'nobody listens': [
        method(`http://127.0.0.1:${await choosePort()}`),
        /^redfish at http:\S+: it could not be asked \(connect ECONNREFUSED/,
      ],
      'it is silent': [method(await serverOf(() => {}), { timeout: 1 }), /: it did not end within 1 s$/],
      'the password is wrong': [
        method(bmc.url, { password: 'wrong' }),
        /: it does not let arcus in, or do this \(401\)/,
      ],
      'there is no such system': [method(bmc.url, { system: second }), /: it answers \/redfish\S+ with 404/],
      'it leads elsewhere': [method(elsewhere), /with 307$/],
      'it says too much': [method(flood), /: it could not be asked \(it answers with more than 1048576 bytes\)$/],
      'it says nothing of Redfish': [method(words), /is not of Redfish: /],
      'it repeats what it was sent': [method(echo), /with 400: no: Basic … … \[31m$/],
    });
  });
  afterAll(() => bmc?.stop());

  fencingContract(
    () => ({
      fencing: openFencing(),
      method: storedMethod(method(bmc.url)),
      power: () => stateOf(bmc.url, first),
      put: (power) => openFencing()[power](fencedHost, storedMethod(method(bmc.url)), signal),
      failing: ways,
      secret: bmcPassword,
    }),
    failing,
  );
});

describe('a BMC by Redfish and TLS, that has several systems', () => {
  let bmc: SushyEmulator;
  let directory: string;
  let certificates: ReturnType<typeof makeCertificates>;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'arcus-redfish-'));
    certificates = makeCertificates(directory, 'localhost');
    const systems = [first, second].map((uuid) => ({ uuid, name: `host-${uuid.at(-1)}`, power_state: 'On' as const }));
    bmc = await SushyEmulator.start({ systems, tls: certificates.server });
  });
  afterAll(async () => {
    await bmc?.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const pem = (file: string): string => readFileSync(file, 'utf8');
  const status = (over: object) =>
    openFencing()
      .status(fencedHost, storedMethod(method(bmc.url, { system: second, ...over })), signal)
      .catch((error: unknown) => problemOf(error)?.message);

  it('is believed by its own certificate, whatever name that has, and by nobody else’s', async () => {
    expect(await status({ certificate: pem(certificates.server.certificate) })).toBe('on');
    expect(await status({})).toMatch(/could not be asked \(unable to verify/);
    expect(await status({ certificate: pem(certificates.stranger.certificate) })).toMatch(/shows another certificate/);
    expect(await status({ certificate: pem(makeCertificate('bmc.test').certificate) })).toMatch(/another certificate/);
  });

  it('is believed where an authority vouches for it, with the name that was asked for', async () => {
    const certificate = pem(certificates.authority);
    expect(await status({ certificate })).toMatch(/shows another certificate/);
    const local = bmc.url.replace('127.0.0.1', 'localhost');
    expect(await status({ address: local, certificate })).toBe('on');
    expect(await status({ address: local, certificate: pem(certificates.stranger.certificate) })).toMatch(/another/);
  });

  it('is told which system the host is, by id or path, and guesses none', async () => {
    const certificate = pem(certificates.server.certificate);
    expect(await status({ certificate, system: `/redfish/v1/Systems/${first}` })).toBe('on');
    expect(await status({ certificate, system: undefined })).toMatch(/it has 2 systems: say which one the host is$/);
    await openFencing().off(fencedHost, storedMethod(method(bmc.url, { certificate, system: second })), signal);
    expect([await status({ certificate, system: first }), await status({ certificate })]).toEqual(['on', 'off']);
  });
});
