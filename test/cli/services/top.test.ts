import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eachMetric } from '../../../schemas/hosts/metrics.js';
import { eventually } from '../../support/processes.js';
import { launchOnTerminal, launchProgram } from '../launch-program.js';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { page, service } from '../stub-objects.js';
import { deployment, operationId } from '../stub-operation.js';

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /services', page(service(1, 'shop'), service(12, 'web', 'DEPLOYING', { operation: operationId })));
  api.on(
    'GET /vms',
    page(vm(10, 1, 'host-1'), vm(11, 1, 'host-2'), vm(12, 12, 'host-2', 'BOOT'), vm(13, 12, null, 'LCM_INIT')),
  );
  api.on(`GET /operations/${operationId}`, { body: deployment({ steps: [] }) });
});
afterEach(() => api.stop());

const vm = (id: number, service_id: number, name: string | null, lcm_state = 'RUNNING') => ({
  id,
  name: `vm-${id}`,
  lcm_state,
  service_id,
  host: name === null ? null : { id: 0, name },
});
const timeless = (text: string) =>
  text.replaceAll(/\d+d \d\dh\d\d/g, '<age>').replaceAll(/about .* left/g, 'about <time> left');

it('service top prints one look on a pipe', async () => {
  const { code, out, err } = await launchProgram('arcus/main.js', ['service', 'top'], { environment: api.environment })
    .ended;
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(timeless(out)).toMatchInlineSnapshot(`
    "2 services · 2 of 4 VMs run · on 2 hosts
    ID  NAME  STATE      VMS  HOSTS                   AGE  OPERATION
     1  shop  RUNNING    2/2  host-1:1 host-2:1  <age>  -
    12  web   DEPLOYING  0/2  host-2:1           <age>  deployService: 6 of 10 VMs run · about <time> left
    "
  `);
});

it('service top of one service shows what its VMs use', async () => {
  const shop = service(12, 'web', 'RUNNING');
  const [role] = shop.roles;
  const at = '2026-11-22T14:00:01.000Z';
  const nodes = role?.nodes.map((node, nth) => ({
    ...node,
    monitoring: nth > 0 ? null : { time: at, ...eachMetric(() => 1), cpu: 67, memory: 123_187 },
  }));
  api.on('GET /services/12', { body: { ...shop, roles: [{ ...role, nodes }] } });
  const { code, out, err } = await runArcus(['service', 'top', '12'], api.environment);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(timeless(out)).toMatch(
    / VM_ID +NAME +STATE +UCPU +UMEM +HOST +TIME\n +120 +web_120 +RUNNING +67 +120\.3M +host-1 +<age>\n/,
  );
  expect(out).toMatch(/ 121 +web_121 +RUNNING +- +- +host-2/);
  expect(api.asked.map(({ path }) => path)).toContain('/services/12?monitoring=true');
});

it.skipIf(process.platform !== 'linux').each([
  ['q', 0],
  ['\u0003', 130],
])('service top is drawn anew on a terminal, until %j', async (key, code) => {
  const top = launchOnTerminal(['service', 'top'], { columns: 100, environment: api.environment });
  await eventually(() => top.out().includes('shop'));
  api.on('GET /services', page(service(1, 'shop'), service(12, 'web', 'RUNNING')));
  await eventually(() => /web +RUNNING/.test(stripVTControlCharacters(top.out())));
  top.process.stdin?.write(key);
  const result = await top.ended;
  expect(result.code, result.out).toBe(code);
  expect(stripVTControlCharacters(result.out)).toContain('arcus service top · ');
  expect(result.out).toContain('\u001B[?1049l');
});
