import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Shop, startShop } from './shop.js';

// `apply` against an Arcus with host-1, the VM template small, the service template shop and user annie.

let running: Shop;
let directory: string;
beforeAll(async () => {
  running = await startShop();
  await running.arcus(['user', 'create', 'annie'], { input: 'correct-horse\n' });
  directory = mkdtempSync(join(tmpdir(), 'arcus-apply-'));
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await running.stop();
});

const apply = (input: string, ...more: string[]) => running.arcus(['apply', '-f', '-', ...more], { input });
const cloud = `# what a team keeps beside its code
kind: service_template
name: blog
deployment: straight
roles:
  - { name: db, vm_template: large }
  - { name: web, vm_template: small, parents: [db], cardinality: 2 }
---
kind: vm_template
name: large
template: { cpu: "2", MEMORY: 2048 }
---
kind: host
name: host-9
cpu: 8
memory: 8192
cluster_id: production
---
kind: cluster
name: production
reserved: { cpu: 10% }
---
kind: group_quota
name: web-team
vms: 20
per_network:
  backbone: { leases: 5 }
---
kind: network
name: backbone
---
kind: user_quota
name: annie
services: default
vms: null
cpu: unlimited
memory: 4096
---
kind: group
name: web-team
create: { users: [DOCUMENT, VM] }
`;

describe('apply', () => {
  it('makes images, changes what is said of them, and leaves their bytes as they are', async () => {
    const image =
      'kind: image\nname: scratch\ntype: DATABLOCK\ndatastore_id: default\nsource: { empty: { size_mb: 10 } }\n';
    const made = await apply(image);
    expect(made.err).toBe('');
    expect(made.out).toMatch(/^image \d+ \(scratch\) is being made\.\n$/);
    await running.arcus(['image', 'wait', 'scratch']);
    expect((await apply(image.replace('10', '20'))).out).toMatch(/unchanged/);
    expect((await apply(`${image}attributes: { dev_prefix: sd }\n`)).out).toMatch(/updated/);
    expect((await running.arcus(['image', 'show', 'scratch', '-o', 'json'])).out).toMatch(/"DEV_PREFIX": "sd"/);
    expect((await apply(image.replace('default', 'nowhere'))).err).toMatch(/nowhere/);
    await running.arcus(['image', 'delete', 'scratch', '--yes', '--wait']);
  });

  it('only says what it would do, with --dry-run', async () => {
    const { code, out } = await apply(cloud, '--dry-run');
    expect(code).toBe(0);
    expect(out).toBe(
      'group web-team would be created.\ncluster production would be created.\nhost host-9 would be created.\nnetwork backbone would be created.\nquota of group web-team would be updated.\nquota of user 2 (annie) would be updated.\nvm-template large would be created.\nservice-template blog would be created.\n',
    );
    expect((await running.arcus(['host', 'list', '-o', 'name'])).out).toBe('host-1\n');
  });

  it('creates what is missing, in an order in which it can be, and then finds it unchanged', async () => {
    const created = await apply(cloud);
    expect(created.code, created.err).toBe(0);
    expect(created.out.replaceAll(/\d+ /g, '')).toBe(
      'group (web-team) created.\ncluster (production) created.\nhost (host-9) created.\nnetwork (backbone) created.\nquota of group (web-team) updated.\nquota of user (annie) updated.\nvm-template (large) created.\nservice-template (blog) created.\n',
    );
    const again = await apply(cloud, '-o', 'json');
    expect(JSON.parse(again.out).map(({ outcome }: { outcome: string }) => outcome)).toEqual(
      Array.from({ length: 8 }, () => 'unchanged'),
    );
  });

  it('updates what differs, and that alone', async () => {
    const changed = cloud.replace('cpu: 8\n', 'cpu: 16\n').replace('cardinality: 2', 'cardinality: 3');
    const { out } = await apply(changed);
    expect(out).toMatch(
      /\nhost \d+ \(host-9\) updated\.\n(?:.* unchanged\.\n){3}vm-template \d+ \(large\) unchanged\.\nservice-template \d+ \(blog\) updated\.\n$/,
    );
    const host = JSON.parse((await running.arcus(['host', 'show', 'host-9', '-o', 'json'])).out);
    expect({ cpu: host.cpu.total, memory: host.memory.total }).toEqual({ cpu: 16, memory: 8192 });
    expect((await apply(changed)).out.match(/unchanged/g)).toHaveLength(8);
  });

  it('takes a directory: its YAML and JSON files in the order of their names', async () => {
    mkdirSync(join(directory, 'all'));
    writeFileSync(
      join(directory, 'all', '2.json'),
      '{\n  // comments may be\n  "kind": "host", "name": "b", "cpu": 1, "memory": 1024 }',
    );
    writeFileSync(join(directory, 'all', '1.yml'), 'kind: host\nname: a\ncpu: 1\nmemory: 1024\n');
    writeFileSync(join(directory, 'all', 'README.md'), 'not: this\n');
    const { out } = await running.arcus(['apply', '-f', join(directory, 'all'), '--dry-run']);
    expect(out).toBe('host a would be created.\nhost b would be created.\n');
  });

  it('tells all that is wrong with its files, by file and line, and changes nothing', async () => {
    const wrong = [
      'kind: host\nname: early\ncpu: 1\nmemory: 1024',
      'kind: hots\nname: x',
      'kind: host\nname: early\ncpu: 1\nmemory: many',
      'kind: vm_template',
      '- 1',
      'kind: user_quota\nname: annie\nvms: many',
    ];
    const file = join(directory, 'wrong.yaml');
    writeFileSync(file, wrong.join('\n---\n'));
    const { code, out, err } = await running.arcus(['apply', '-f', file]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`${file}:6: "hots" is no kind that can be applied: did you mean host?`);
    expect(err).toContain(`${file}:12: /memory `);
    expect(err).toContain(`${file}:14: name is required`);
    expect(err).toContain(`${file}:16: a document must be an object with a kind and a name`);
    expect(err).toContain(`${file}:20: /vms must be a number, default or unlimited`);
    expect((await running.arcus(['host', 'list', '-o', 'name'])).out).not.toContain('early');
    writeFileSync(file, 'kind: host\nname: x\n  cpu: 1\n');
    expect((await running.arcus(['apply', '-f', file])).err).toMatch(
      /wrong\.yaml is not valid YAML\.\n.*wrong\.yaml:\d+:\d+: /,
    );
  });

  it('tells by line what its files name and nobody has made, and changes nothing', async () => {
    const { code, out, err } = await apply(
      'kind: host\nname: host-8\ncpu: 1\nmemory: 1024\n---\nkind: service_template\nname: round\nroles:\n  - { name: a, vm_template: smal }\n  - { name: b, vm_template: nowhere }\n---\nkind: user_quota\nname: annei\nvms: 1\n',
    );
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toContain('standard input:9: There is no vm-template called "smal". Did you mean small?\n');
    expect(err).toContain('standard input:13: There is no user called "annei". Did you mean annie?\n');
    expect(err).toContain('standard input:10: There is no vm-template called "nowhere".\n');
    expect((await running.arcus(['host', 'list', '-o', 'name'])).out).not.toContain('host-8');
  });

  it('tells by line what the server refuses, and what has been done until then', async () => {
    const text =
      'kind: host\nname: host-8\ncpu: 1\nmemory: 1024\n---\nkind: service_template\nname: round\nroles:\n  - { name: a, vm_template: 4711 }\n';
    const { code, out, err } = await apply(text);
    expect(code, err).toBe(2);
    expect(out).toMatch(/^host \d+ \(host-8\) created\.\n$/);
    expect(err).toMatch(/standard input:9: service-template round: /);
    expect(err).toMatch(/1 of 2 are left\. Apply it again when that is mended\.\n$/);
  });

  it('refuses the same object twice', async () => {
    const { code, err } = await apply(
      'kind: host\nname: x\ncpu: 1\nmemory: 1\n---\nkind: host\nname: x\ncpu: 2\nmemory: 1\n',
    );
    expect(code).toBe(2);
    expect(err).toContain('host "x" is at standard input:2 already');
  });

  it('finds everything unchanged the second time, however it is written', async () => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,5}$/);
    const scalar = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.integer({ min: -9, max: 9 }),
      fc.constantFrom('1', '', 'a\nb'),
    );
    const attributes = fc.dictionary(name, scalar, { maxKeys: 4, noNullPrototype: true });
    const reserved = fc.record(
      { cpu: fc.constantFrom(1, '10%', '-5%', null), memory: fc.constantFrom(0, 64, '5%') },
      { requiredKeys: [], noNullPrototype: true },
    );
    const anything = fc.dictionary(name, fc.oneof(scalar, attributes, fc.array(attributes), fc.constant(null)), {
      maxKeys: 4,
      noNullPrototype: true,
    });
    const one = fc.oneof(
      fc.record(
        { kind: fc.constant('cluster'), attributes, reserved },
        { requiredKeys: ['kind'], noNullPrototype: true },
      ),
      fc.record(
        { kind: fc.constant('host'), cpu: fc.constantFrom(1, 0.126, 4), memory: fc.constant(64), attributes, reserved },
        { requiredKeys: ['kind', 'cpu', 'memory'], noNullPrototype: true },
      ),
      fc.record({
        kind: fc.constant('group'),
        create: fc.record({ users: fc.shuffledSubarray(['VM', 'NET', 'IMAGE', 'TEMPLATE', 'DOCUMENT']) }),
      }),
      fc.record({
        kind: fc.constant('vm_template'),
        template: anything.map((more) => ({ ...more, cpu: '0.50', Memory: '64', os: {}, labels: [] })),
      }),
      fc.record({
        kind: fc.constant('service_template'),
        ready_status_gate: fc.constantFrom(null, true),
        custom_attrs: fc.option(attributes),
        roles: fc.constant([{ name: 'a', vm_template: 'small', cardinality: '0x2', cooldown: 1.5, parents: null }]),
        labels: anything,
      }),
      fc.record(
        {
          kind: fc.constant('user_quota'),
          vms: fc.constantFrom(1, 'unlimited', 'default', null),
          cpu: fc.constantFrom(1.5, 2),
        },
        { requiredKeys: ['kind'], noNullPrototype: true },
      ),
    );
    const wishes = fc
      .sample(one, { numRuns: 60, seed: 10 })
      .map((wish, at) => ({ ...wish, name: wish.kind === 'user_quota' ? 'annie' : `n${at}` }))
      .filter((wish, at, all) => wish.name !== 'annie' || all.findIndex(({ name }) => name === 'annie') === at);
    const text = wishes.map((wish) => JSON.stringify(wish)).join('\n---\n');
    const first = await running.arcus(['apply', '-f', yamlOf('first', text)]);
    expect(first.code, first.err).toBe(0);
    const again = await running.arcus(['apply', '-f', yamlOf('first', text), '-o', 'json']);
    const changed = JSON.parse(again.out).filter(({ outcome }: { outcome: string }) => outcome !== 'unchanged');
    expect(changed.map(({ name }: { name: string }) => wishes.find((wish) => wish.name === name))).toEqual([]);
  });

  it('finds by their whole names what is called like numbers, or nearly so', async () => {
    const made = await apply(
      ['vm_template\nname: 2cpu-small\ntemplate: { CPU: 2, MEMORY: 64 }', 'group\nname: 2nd-line']
        .concat('service_template\nname: 3rd-floor\nroles: [{ name: a, vm_template: 2cpu-small }]')
        .concat('group_quota\nname: 2nd-line\nvms: 3', 'host\nname: 00-a\ncpu: 1\nmemory: 64')
        .map((document) => `kind: ${document}\n`)
        .join('---\n'),
    );
    expect(made.code, made.err).toBe(0);
    const rule = await running.arcus(['acl', 'create', '@2nd-line VM/@2nd-line USE']);
    expect(rule.out, rule.err).toMatch(/@\d+ VM\/@\d+ USE/);
    expect((await running.arcus(['vm-template', 'show', '2cpu-small'])).code).toBe(0);
    const missing = await running.arcus(['host', 'delete', '00', '--yes']);
    expect(missing).toMatchObject({ code: 3, err: expect.stringContaining('Did you mean') });
    const deleted = await running.arcus(['host', 'delete', '00-a', '--yes']);
    expect(deleted.out, deleted.err).toMatch(/host [1-9]\d* removed/);
    expect((await running.arcus(['host', 'show', '0'])).out).toContain('host-1');
  });
});

function yamlOf(name: string, text: string): string {
  const path = join(directory, `${name}.yaml`);
  writeFileSync(path, text);
  return path;
}
