import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { built } from '../../adapters/process/checkout.js';
import { clientFor } from '../../client/node/client.js';
import { homeAt } from '../../runtime/home/home.js';
import { watchService } from '../../runtime/processes/watch-service.js';
import { plainLine, roleLines, serviceTable } from '../../runtime/sample/service-view.js';
import { startReport } from '../../runtime/sample/start-report.js';
import { ServiceResource } from '../../schemas/services/service.js';

const node = (vm_id: number, lcm_state: string) => ({
  vm_id,
  name: `web_${vm_id}_(service_4)`,
  state: 'ACTIVE',
  lcm_state,
  ready: false,
  host: 'sample-host-1',
  reason: null,
  created_at: '2026-01-02T03:04:05Z',
  monitoring: null,
});
const role = (name: string, cardinality: number, nodes: object[]) => ({
  name,
  cardinality,
  vm_template: 0,
  parents: [],
  state: nodes.length === 0 ? 'PENDING' : 'DEPLOYING',
  reason: null,
  last_vmname: nodes.length,
  operation: null,
  cooldown_until: null,
  nodes,
});
const none = { use: false, manage: false, admin: false };
const service = ServiceResource.parse({
  id: 4,
  name: 'shop',
  uid: 0,
  gid: 0,
  uname: 'oneadmin',
  gname: 'oneadmin',
  permissions: { owner: none, group: none, other: none },
  template_id: 3,
  template_revision: null,
  state: 'DEPLOYING',
  deployment: 'straight',
  ready_status_gate: false,
  shutdown_action: null,
  virtual_networks: [],
  roles: [role('web', 2, [node(7, 'RUNNING'), node(8, 'BOOT')]), role('worker', 0, []), role('db', 3, [])],
  log: [],
  operation: null,
  created_at: '2026-01-02T03:04:05Z',
  ended_at: null,
});

const plain = (text: string) => stripVTControlCharacters(text);

describe('a service as the start shows it', () => {
  it('fills a bar for each role by the VMs that run', () => {
    const lines = roleLines(service).map(plain);
    expect(lines[0]).toBe(`  web    ${'█'.repeat(12)}${'·'.repeat(12)}    1/2  DEPLOYING`);
    expect(lines[2]).toBe(`  db     ${'·'.repeat(24)}    0/3  PENDING`);
  });

  it('shows a role that is to have no VM as full', () => {
    expect(plain(roleLines(service)[1] ?? '')).toContain('█'.repeat(24));
  });

  it('is one line where there is no terminal', () => {
    expect(plainLine(service)).toBe('shop is DEPLOYING: web 1/2, worker 0/0, db 0/3');
  });

  it('is a table with every VM, its state and its host', () => {
    const rows = plain(serviceTable(service)).split('\n');
    expect(rows.filter((row) => row.includes('sample-host-1'))).toHaveLength(2);
    expect(rows.find((row) => row.includes('web_8_'))).toMatch(/8 .*BOOT .*sample-host-1/);
  });
});

describe('what others have named', () => {
  const hostile = 'a\u202eb\u009b31mc\u0085d\u200be';
  const named = (text: string): unknown =>
    JSON.parse(JSON.stringify(service).replaceAll(/"(shop|web_\d_[^"]*|sample-host-1)"/g, JSON.stringify(text)));
  const steers = /[\u007f-\u009f\p{Cf}]/u;

  it('steers no terminal while the start waits for its sample, nor in its report', async () => {
    const running = ServiceResource.parse({ ...Object(named(hostile)), state: 'RUNNING' });
    const api = clientFor({ endpoint: new URL('http://127.0.0.1:1'), credentials: { name: 'a', password: 'b' } });
    vi.spyOn(api, 'show').mockResolvedValue({ raw: running, value: running });
    const written: string[] = [];
    for (const isTTY of [true, false])
      await watchService(api, 4, { isTTY, write: (text) => written.push(text) }, 60_000);
    const report = startReport({
      ...{ home: homeAt(`/tmp/${hostile}`), api: 'http://127.0.0.1:1', oneflow: null, temporalUi: null },
      service: { service: running, workflowUrl: null },
    });
    for (const text of [...written, report]) {
      expect(text).not.toMatch(steers);
    }
    for (const text of [written[1], report]) expect(text).toContain('a\\u{202e}b');
  });

  it('steers no terminal in lines of logs', async () => {
    const script = `import { createLogger } from ${JSON.stringify(pathToFileURL(built('adapters/process/logger.js')).href)};
      createLogger('info', 'api').info({ host: ${JSON.stringify(hostile)} }, ${JSON.stringify(hostile)});`;
    const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).not.toMatch(steers);
    expect(JSON.parse(stdout)).toMatchObject({ host: hostile, msg: hostile });
  });
});
