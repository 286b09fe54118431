import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { office } from '../../../api/native/networks/networks-examples.js';
import { roles } from '../../../api/native/services/service-templates-examples.js';
import { runArcus } from '../run-arcus.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { page, service } from '../stub-objects.js';
import { deployment } from '../stub-operation.js';

const shop = {
  ...{ id: 3, name: 'shop', uid: 0, gid: 0, uname: 'oneadmin', gname: 'oneadmin', revision: 2, warnings: [] },
  permissions: service(1, 'any').permissions,
  body: { name: 'shop', deployment: 'straight', ready_status_gate: false, roles: [roles.web, roles.db] },
  created_at: '2026-05-04T09:32:10.000Z',
};

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /service-templates', page(shop));
  api.on('GET /service-templates/3', { body: shop });
  api.on('GET /services', page(service(12, 'front'), service(13, 'back')));
});
afterEach(() => api.stop());

const arcus = (...args: string[]) => runArcus(args, api.environment);
const sent = () =>
  api.asked.flatMap(({ method, path, body }) =>
    method === 'GET' ? [] : [[method, path, body === '' ? null : JSON.parse(body)]],
  );

describe('arcus service-template', () => {
  it('that is given a file without -f says where it goes', async () => {
    const { code, err } = await arcus('service-template', 'create', 'shop.json');
    expect([code, err]).toEqual([2, expect.stringMatching(/too many arguments.*\nA file is named with -f\./s)]);
    const other = await arcus('service-template', 'delete', '3', '4');
    expect(other.err).not.toContain('-f');
  });

  it('begins several services, and says of each which operation does it', async () => {
    api.on('POST /service-templates/3/instantiate', { status: 202, body: deployment({ state: 'accepted' }) });
    const { code, out } = await arcus('service-template', 'instantiate', 'shop', '--name', 'one', '--multiple', '3');
    expect([code, out.match(/accepted as operation/g)?.length]).toEqual([0, 3]);
    const asked = ['POST', '/service-templates/3/instantiate', { merge_template: { name: 'one' } }];
    expect(sent()).toEqual([asked, asked, asked]);
  });

  it('adds what OpenNebula printed of one as it is, and says where in that something is wrong', async () => {
    api.on('POST /service-templates', { status: 201, body: shop });
    const document = {
      DOCUMENT: { NAME: 'shop', TEMPLATE: { BODY: { name: 'shop', roles: [{ name: 'web', template_id: 0 }] } } },
    };
    const file = join(tmpdir(), `printed-${process.pid}.json`);
    writeFileSync(file, JSON.stringify(document, null, 2));
    expect((await arcus('service-template', 'create', '-f', file)).out).toContain('service-template 3 (shop) created.');
    expect(sent()).toEqual([['POST', '/service-templates', document]]);
    const errors = [{ pointer: '/roles/0/name', detail: 'is wrong' }];
    api.on('POST /service-templates', problem(400, 'invalid_request', 'It is wrong.', errors));
    const { err } = await arcus('service-template', 'create', '-f', file);
    expect(err).toContain(`${file}:9`);
  });

  it('clones one under another name', async () => {
    api.on('POST /service-templates/3/clone', { status: 201, body: { ...shop, id: 4, name: 'copy' } });
    expect(await arcus('service-template', 'clone', 'shop', 'copy')).toMatchObject({
      ...{ code: 0, out: 'service-template 4 (copy) created.\n' },
    });
    expect(sent()).toEqual([['POST', '/service-templates/3/clone', { name: 'copy' }]]);
  });

  it('gives one another name', async () => {
    api.on('PATCH /service-templates/3', { body: { ...shop, name: 'other' } });
    expect((await arcus('service-template', 'rename', 'shop', 'other')).out).toContain('is called other now');
    expect(sent()).toEqual([['PATCH', '/service-templates/3', { name: 'other' }]]);
  });

  it('merges a file over one when it is instantiated, by the top level or role by role', async () => {
    api.on('POST /service-templates/3/instantiate', { status: 202, body: deployment({ state: 'accepted' }) });
    const merge_template = { roles: [{ name: 'web', cardinality: 3 }] };
    const file = join(tmpdir(), `merge-${process.pid}.json`);
    writeFileSync(file, JSON.stringify(merge_template));
    await arcus('service-template', 'instantiate', 'shop', '-f', file);
    await arcus('service-template', 'instantiate', 'shop', '-f', file, '--deep');
    const alone = await arcus('service-template', 'instantiate', 'shop', '--deep');
    expect([alone.code, alone.err]).toEqual([2, expect.stringMatching(/^arcus: --deep: .*\nName one with --file/)]);
    expect(sent().map(([, , body]) => body)).toEqual([{ merge_template }, { merge_template, merge: 'deep' }]);
  });

  describe('what one asks for', () => {
    const asked = (name: string, type: string, more: object = {}) => ({
      ...{ name, given_in: type === 'network' ? 'networks' : 'inputs', role: null, type, mandatory: true },
      ...{ question: `Which ${name}?`, among: null, least: null, most: null, default: null, ...more },
    });
    const items = [
      asked('Public', 'network'),
      asked('Private', 'network'),
      asked('SIZE', 'list', { among: ['small', 'large'] }),
      asked('db/COUNT', 'number', { role: 'db', mandatory: false, default: '2' }),
    ];
    const instantiate = ['service-template', 'instantiate', 'shop'];
    const networks = { Public: { network_id: 0 }, Private: { reserve_from: 7, size: 20 } };
    beforeEach(() => {
      api.on('GET /service-templates/3/inputs', { body: { items } });
      api.on('GET /virtual-networks', page(office));
      api.on('POST /service-templates/3/instantiate', { status: 202, body: deployment({ state: 'accepted' }) });
    });

    it('is listed', async () => {
      const { out } = await arcus('service-template', 'inputs', 'shop');
      expect(out.split('\n').map((line) => line.trim().split(/\s{2,}/))).toEqual([
        ['NAME', 'TYPE', 'MUST BE GIVEN', 'DEFAULT', 'QUESTION'],
        ['Public', 'network', 'yes', '-', 'Which Public?'],
        ['Private', 'network', 'yes', '-', 'Which Private?'],
        ['SIZE', 'list', 'yes', '-', 'Which SIZE? small, large'],
        ['db/COUNT', 'number', 'no', '2', 'Which db/COUNT?'],
        [''],
      ]);
    });

    it('is given with the command: networks by name or id, or what is reserved of one', async () => {
      const given = ['--network', 'Public=office', 'Private=reserve:7:20', '--input', 'SIZE=large', 'db/COUNT=3'];
      expect((await arcus(...instantiate, ...given)).code).toBe(0);
      expect(sent().map(([, , body]) => body)).toEqual([{ networks, inputs: { SIZE: 'large', 'db/COUNT': '3' } }]);
      for (const wrong of ['Public', 'Private=reserve:7', 'Private=reserve::3'])
        expect(await arcus(...instantiate, '--network', wrong)).toMatchObject({
          code: 2,
          err: expect.stringContaining('--network'),
        });
      expect(sent()).toHaveLength(1);
    });

    it('is asked of whoever sits at a terminal, as far as it must be given and was not', async () => {
      const questions: string[] = [];
      const ask = async (question: string) => {
        questions.push(question);
        return question.startsWith('SIZE') ? 'small' : 'reserve:7:20';
      };
      const person = { ask, askSecretly: ask };
      await runArcus([...instantiate, '--network', 'Public=office'], api.environment, '', person);
      expect(questions).toEqual([
        'Private: Which Private? (a network, template:template, or reserve:network:size) ',
        'SIZE: Which SIZE? (small, large) ',
      ]);
      expect(sent().map(([, , body]) => body)).toEqual([{ networks, inputs: { SIZE: 'small' } }]);
    });

    it('is named where it is missing and nobody can be asked', async () => {
      const errors = [{ pointer: '/networks/Private', detail: 'is required: Which Private?' }];
      const refusal = { type: '/problems/invalid_request', title: 'x', status: 400, instance: '/', request_id: 'r-1' };
      const detail = 'The networks of the service are not all given.';
      api.on('POST /service-templates/3/instantiate', { status: 400, body: { ...refusal, detail, errors } });
      const { code, err } = await arcus(...instantiate);
      expect([code, err]).toEqual([2, expect.stringContaining('/networks/Private: is required: Which Private?')]);
    });
  });

  it('exports one in the names of OneFlow 5, or of 7, and nothing but JSON', async () => {
    const exported = async (...names: string[]) =>
      JSON.parse((await arcus('service-template', 'export', 'shop', ...names)).out);
    expect(await exported()).toEqual(JSON.parse(JSON.stringify(shop.body)));
    expect((await exported('--names', '7')).roles[0]).toMatchObject({
      ...{ name: 'web', type: 'vm', template_id: roles.web.vm_template },
    });
    expect((await arcus('service-template', 'export', 'shop', '--names', '6')).code).toBe(2);
  });

  it('lists what one has been, and prints a revision of it', async () => {
    const created_at = shop.created_at;
    const items = [2, 1].map((revision) => ({ revision, created_at, roles: revision }));
    api.on('GET /service-templates/3/revisions', { body: { items } });
    api.on('GET /service-templates/3/revisions/1', {
      body: { revision: 1, created_at, body: { ...shop.body, roles: [roles.web] } },
    });
    const { out } = await arcus('service-template', 'revisions', 'shop');
    expect(out).toMatch(/REVISION +SINCE +ROLES\s+2 .+ 2\s+1 .+ 1/);
    const before = JSON.parse((await arcus('service-template', 'revisions', 'shop', '1')).out);
    expect(before.roles.map(({ name }: { name: string }) => name)).toEqual(['web']);
  });
});

describe('arcus service', () => {
  it('purges those that are DONE', async () => {
    for (const id of [12, 13]) api.on(`DELETE /services/${id}`, { status: 202, body: deployment({}) });
    const { out } = await arcus('service', 'purge', '--yes');
    expect(out).toContain('2 services removed.');
    expect(sent().map(([method, path]) => [method, path])).toEqual([
      ['DELETE', '/services/12'],
      ['DELETE', '/services/13'],
    ]);
    expect(api.asked.find(({ path }) => path.startsWith('/services?'))?.path).toContain('state=DONE');
  });

  it('releases what is on hold, adds a role and removes one', async () => {
    const accepted = { status: 202, body: deployment({ state: 'accepted' }) };
    for (const path of ['release', 'roles', 'roles/cache/remove']) api.on(`POST /services/12/${path}`, accepted);
    const file = join(tmpdir(), `role-${process.pid}.json`);
    writeFileSync(file, JSON.stringify({ name: 'cache', vm_template: 3 }));
    const all = [
      await arcus('service', 'release', 'front'),
      await arcus('service', 'release', 'front', '--role', 'db'),
      await arcus('service', 'role', 'add', 'front', '-f', file),
      await arcus('service', 'role', 'remove', 'front', 'cache', '--force', '--yes'),
    ];
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(sent()).toEqual([
      ['POST', '/services/12/release', {}],
      ['POST', '/services/12/release', { role: 'db' }],
      ['POST', '/services/12/roles', { name: 'cache', vm_template: 3 }],
      ['POST', '/services/12/roles/cache/remove', { force: true }],
    ]);
    const wrongs = [
      ['role', 'add', 'front'],
      ['role', 'remove', 'front'],
      ['role', 'move', 'front'],
    ];
    for (const wrong of wrongs) expect((await arcus('service', ...wrong)).code, wrong.join(' ')).toBe(2);
    expect(sent()).toHaveLength(4);
  });
});
