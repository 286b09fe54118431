import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { json } from '../../client/message.js';
import { clientFor } from '../../client/node/client.js';
import { diagnose } from '../../runtime/doctor/doctor.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { probeHttp } from '../../runtime/servers/await-ready.js';
import { readCredentials } from '../../runtime/servers/credentials.js';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import { ownDirectory } from '../support/directories.js';
import { eventually, launchBuilt, type Output } from '../support/processes.js';
import { ownDatabaseUri, ownName, temporalAddress } from '../support/servers.js';
import { makeCertificates, startTlsProxy } from '../support/tls-proxy.js';

it('jobs, worker and api work with a Temporal that asks for TLS, a certificate and an API key', async () => {
  const directory = ownDirectory();
  const certificates = makeCertificates(directory, 'temporal.test');
  const proxy = await startTlsProxy(temporalAddress(), certificates, 'the-right-key');
  onTestFinished(() => proxy.stop());
  const keyFile = join(directory, 'api-key');
  writeFileSync(keyFile, 'the-right-key\n', { mode: 0o600 });
  const name = ownName('tls');
  const settings = {
    ARCUS_HOME: directory,
    ARCUS_MONGODB_URI: ownDatabaseUri('tls'),
    ARCUS_TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}`,
    ARCUS_TEMPORAL_NAMESPACE: name,
    ARCUS_TEMPORAL_TICKS_NAMESPACE: `${name}.ticks`,
    ARCUS_TEMPORAL_TLS_CA: certificates.authority,
    ARCUS_TEMPORAL_TLS_CERT: certificates.client.certificate,
    ARCUS_TEMPORAL_TLS_KEY: certificates.client.key,
    ARCUS_TEMPORAL_TLS_SERVER_NAME: 'temporal.test',
    ARCUS_TEMPORAL_API_KEY_FILE: keyFile,
    ARCUS_TEMPORAL_UI_URL: 'http://ui.test',
  };
  const outputs: Output[] = [];
  const launch = (module: string, more: Record<string, string> = {}) => {
    const output = launchBuilt(module, [], { ...settings, ...more });
    outputs.push(output);
    return output;
  };
  const job = async (module: string) => {
    const { exit, text } = launch(module);
    expect(await exit, text()).toBe(0);
  };

  // What lacks one of the three is refused, and says no secret.
  const lacking: Record<string, Record<string, string>> = {
    'another authority': { ARCUS_TEMPORAL_TLS_CA: join(directory, 'stranger.crt') },
    'another name': { ARCUS_TEMPORAL_TLS_SERVER_NAME: 'elsewhere.test' },
    'another’s certificate': {
      ARCUS_TEMPORAL_TLS_CERT: certificates.stranger.certificate,
      ARCUS_TEMPORAL_TLS_KEY: certificates.stranger.key,
    },
    'another key': { ARCUS_TEMPORAL_API_KEY: 'the-wrong-key' },
  };
  for (const [what, over] of Object.entries(lacking)) {
    const findings = await diagnose([], { ...settings, ...over });
    const about = findings.find(({ subject }) => subject === 'Temporal');
    expect(about?.level, what).toBe('fault');
    expect(JSON.stringify(findings), what).not.toMatch(/the-(right|wrong)-key/);
  }
  expect(proxy.counts).toMatchObject({ refused: expect.any(Number), passed: 0 });
  expect(proxy.counts.refused).toBeGreaterThan(0);
  const right = await diagnose([], settings);
  expect(right.find(({ subject }) => subject === 'Temporal')?.level).toBe('ok');

  await job('runtime/prepare-cluster.js');
  const [workerPort, apiPort] = [String(await choosePort()), String(await choosePort())];
  launch('worker/main.js', { ARCUS_WORKER_PORT: workerPort });
  launch('api/main.js', { ARCUS_PORT: apiPort });
  const ready = (port: string) =>
    eventually(() =>
      probeHttp(`http://127.0.0.1:${port}/readyz`).then(
        () => true,
        () => false,
      ),
    );
  await Promise.all([ready(workerPort), ready(apiPort)]);
  await job('runtime/release.js');

  const client = clientFor({
    endpoint: new URL(`http://127.0.0.1:${apiPort}`),
    credentials: readCredentials(join(directory, 'auth')),
  });
  const { id, workflow } = (await client.send('POST', '/consistency-checks', OperationResource, json({}))).value;
  expect(workflow.url).toContain(`http://ui.test/namespaces/${name}/workflows/`);
  await eventually(async () => (await client.get(`/operations/${id}`, OperationResource)).value.state === 'succeeded');
  expect(proxy.counts.passed).toBeGreaterThan(10);

  for (const { text } of outputs) expect(text()).not.toContain('the-right-key');
});
