import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { plainLine, roleLines, serviceTable } from '../../runtime/service-view.js';
import { ServiceResource } from '../../schemas/service.js';

const node = (vm_id: number, lcm_state: string) => ({
  vm_id,
  name: `web_${vm_id}_(service_4)`,
  state: 'ACTIVE',
  lcm_state,
  ready: false,
  host: 'sample-host-1',
  reason: null,
});
const role = (name: string, cardinality: number, nodes: object[]) => ({
  name,
  cardinality,
  vm_template: 0,
  parents: [],
  state: nodes.length === 0 ? 'PENDING' : 'DEPLOYING',
  reason: null,
  last_vmname: nodes.length,
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
  state: 'DEPLOYING',
  deployment: 'straight',
  ready_status_gate: false,
  shutdown_action: null,
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
