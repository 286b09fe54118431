import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eachMetric } from '../../../schemas/hosts/metrics.js';
import { madeVm } from '../../support/made-vm.js';
import { type FlowWorld, startFlowWorld } from './flow-world.js';

/** What two releases print of one template, which was renamed. */
const documents: [string, object][] = [
  ['5.0', printed({ custom_attrs: { SIZE: 'M|text|Which size?' } }, { vm_template_contents: 'CPU="2"\n' })],
  [
    '7.4',
    printed(
      { user_inputs: { SIZE: 'M|text|Which size?' }, registration_time: 1_795_000_000, description: '' },
      { type: 'vm', template_id: 0, template_contents: { CPU: '2' } },
    ),
  ],
];
const imported = {
  ...{ name: 'renamed', deployment: 'straight', template_raw: { LABELS: 'web,blue' } },
  custom_attrs: { SIZE: 'M|text|Which size?' },
  roles: [
    { name: 'web', cardinality: 2, vm_template: 0, vm_template_contents: 'CPU="2"\n' },
    { name: 'db', vm_template: 0, parents: ['web'] },
  ],
};
function printed(ofTemplate: object, ofRole: object): object {
  const first = 'template_id' in ofRole ? {} : { vm_template: 0 };
  const roles = [
    { name: 'web', cardinality: 2, ...first, ...ofRole },
    {
      name: 'db',
      cardinality: 1,
      parents: ['web'],
      ...('template_id' in ofRole ? { type: 'vm', template_id: 0 } : first),
    },
  ];
  const bits = { OWNER_U: '1', OWNER_M: '1', OWNER_A: '0', GROUP_U: '0', GROUP_M: '0', GROUP_A: '0' };
  const PERMISSIONS = { ...bits, OTHER_U: '0', OTHER_M: '0', OTHER_A: '0' };
  const BODY = { name: 'as_it_was', deployment: 'straight', ready_status_gate: false, ...ofTemplate, roles };
  const owner = { ID: '6', UID: '0', GID: '0', UNAME: 'oneadmin', GNAME: 'oneadmin', NAME: 'renamed', TYPE: '101' };
  return { DOCUMENT: { ...owner, PERMISSIONS, TEMPLATE: { BODY, LABELS: 'web,blue' } } };
}

let flow: FlowWorld;
let world: FlowWorld['world'];
let url: string;
beforeAll(async () => {
  flow = await startFlowWorld();
  ({ world, url } = flow);
  for (const name of ['zero', 'one'])
    await world.ask('oneadmin', 'post', '/vm-templates', { name, template: { CPU: 1, MEMORY: 64 } });
});
afterAll(() => flow.stop());

const run: FlowWorld['run'] = (...given) => flow.run(...given);

describe('oneflow and oneflow-template, with the guide’s words', () => {
  it('say what is the matter with a file, and where', async () => {
    for (const [text, why] of [
      ['{\n"name": ,}', /broken.json is no template in JSON: .*, line 2\n$/],
      ['[]', /broken.json is no template in JSON: it is no object\n$/],
    ] as const) {
      expect(await run(`oneflow-template create ${flow.file('broken.json', text)}`)).toMatchObject({
        code: 255,
        err: expect.stringMatching(why),
      });
    }
    expect((await run('oneflow-template create /nowhere.json')).err).toContain('/nowhere.json cannot be read');
  });

  it('register, list and show a template, and deploy a service of it', async () => {
    const role = (name: string, more: object = {}) => ({ name, vm_template: 0, ...more });
    const policy = { expression: 'ATT > 50', type: 'CHANGE', adjust: 2, period_number: 3, period: 10 };
    const back = { expression: 'ATT < 20', type: 'PERCENTAGE_CHANGE', adjust: -10, min_adjust_step: 2 };
    const morning = { recurrence: '0 9 * * mon,tue', type: 'CARDINALITY', adjust: 6 };
    const tracked = { target: 'CPU = 60' };
    const roles = [
      role('frontend', {
        min_vms: 1,
        max_vms: 5,
        elasticity_policies: [policy, back, tracked],
        scheduled_policies: [morning],
      }),
      role('worker', { parents: ['frontend'], cardinality: 2 }),
    ];
    const text = JSON.stringify({ name: 'my_service', deployment: 'straight', roles });
    const file = flow.file('my_service.json', `// The guide's\n${text}`);
    expect(await run(`oneflow-template create ${file}`)).toEqual({ code: 0, out: 'ID: 0\n', err: '' });
    expect((await run('oneflow-template list')).out).toBe(
      [
        '        ID USER            GROUP           NAME',
        '         0 oneadmin        oneadmin        my_service',
        '',
      ].join('\n'),
    );
    const shown = (await run('oneflow-template show my_service')).out;
    expect(shown).toMatch(
      /^SERVICE TEMPLATE 0 INFORMATION\nID {18}: 0\n[\s\S]*\nOWNER {15}: um-\n[\s\S]*TEMPLATE CONTENTS\n\{\n {2}"name"/,
    );
    expect(await run('oneflow-template instantiate my_service')).toEqual({ code: 0, out: 'ID: 1\n', err: '' });

    await world.store.services.model.updateOne(
      { _id: 1 },
      { $set: { state: 'SCALING', 'roles.$[].state': 'SCALING', operation: null } },
    );
    const vm = { state: 'ACTIVE', service: { id: 1, role: 'frontend', ordinal: 0 } } as const;
    const node = (at: number, lcm_state: 'RUNNING' | 'BOOT' | 'SHUTDOWN') =>
      madeVm({ ...vm, _id: at, name: `frontend_${at}`, lcm_state, service: { ...vm.service, ordinal: at } });
    await world.store.vms.model.insertMany([node(4, 'RUNNING'), node(6, 'BOOT'), node(7, 'SHUTDOWN')]);
    const used = { ...eachMetric(() => 1), cpu: 67, memory: 123_187 };
    await world.store.metrics.add([{ host: 1, vm: 4, epoch: 9, at: new Date(), ...used }]);
    expect((await run('oneflow list')).out).toBe(
      [
        '        ID USER            GROUP           NAME                      STATE',
        '         1 oneadmin        oneadmin        my_service                SCALING',
        '',
      ].join('\n'),
    );
    const service = (await run('oneflow show 1')).out;
    for (const line of [
      'SERVICE STATE       : SCALING',
      'ROLE frontend',
      'ROLE STATE          : SCALING',
      ' VM_ID NAME                    STAT UCPU    UMEM HOST                 TIME',
      '     4 frontend_4              runn   67  120.3M                      0d 00h00',
      '   ↑ 6 frontend_6              boot    0      0K                      0d 00h00',
      '   ↓ 7 frontend_7              shut    0      0K                      0d 00h00',
      'MIN VMS             : 1',
      '+ 2          ATT > 50                                         0/3   10s    -',
      '- 10 % (2)   ATT < 20                                         -     -      -',
      '= 6          0 9 * * mon,tue',
      'PARENTS             : frontend',
    ])
      expect(service.split('\n')).toContain(line);
    const looks = await flow.watch('oneflow top 1 -d 1', 4);
    expect(looks).toEqual(['clear', service.trimEnd(), 'clear', service.trimEnd()]);
    expect(JSON.parse((await run('oneflow show 1 -j')).out).DOCUMENT.NAME).toBe('my_service');
  });

  it('make several services of a template at once', async () => {
    const before = await flow.world.store.services.model.countDocuments();
    const { code, out, err } = await run(
      `oneflow-template instantiate my_service ${flow.file('merge.json', '{"name": "one_of_three"}')} --multiple 3`,
    );
    const made = out.trimEnd().split('\n');
    expect([code, err, made]).toEqual([0, '', [0, 1, 2].map(() => expect.stringMatching(/^ID: \d+$/))]);
    expect(new Set(made).size).toBe(3);
    expect((await flow.world.store.services.model.countDocuments()) - before).toBe(3);
    expect(await flow.world.store.services.model.countDocuments({ name: 'one_of_three' })).toBe(3);
  });

  it.each(documents)('register what OpenNebula %s prints of a template, as it is', async (_release, printed) => {
    const { code, out, err } = await run(
      `oneflow-template create ${flow.file('printed.json', JSON.stringify(printed))}`,
    );
    expect([code, err]).toEqual([0, '']);
    const id = Number(/^ID: (\d+)$/m.exec(out)?.[1]);
    expect((await flow.world.store.serviceTemplates.find(id))?.body).toMatchObject(imported);
    await run(`oneflow-template delete ${id}`);
  });

  it('share and give away by names, of several at once', async () => {
    expect(await run('oneflow-template clone 0 copy')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ID: \d+\n$/),
    });
    for (const how of ['recursive', 'recursive-templates'])
      expect(await run(`oneflow-template clone 0 ${how} --${how}`)).toMatchObject({ code: 0, err: '' });
    const vmTemplates = (await world.ask('oneadmin', 'get', '/vm-templates')).body.items;
    expect(vmTemplates.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['recursive-zero', 'recursive-templates-zero']),
    );
    for (const line of ['chmod 0,copy 664', 'chown copy alice users', 'rename copy other'])
      expect(await run(`oneflow-template ${line}`), line).toEqual({ code: 0, out: '', err: '' });
    expect((await run('oneflow-template list')).out).toContain('alice           users           other');
    const nobody = await run('oneflow-template chown 0 nobody');
    expect([nobody.code, nobody.err]).toEqual([255, 'There is no user named nobody whom you may see.\n']);
    // Names are asked where ONE_XMLRPC says, ids of nobody.
    const elsewhere = { ONE_XMLRPC: 'http://127.0.0.1:1/RPC2' };
    expect(await run('oneflow-template chown 0 alice', elsewhere)).toMatchObject({
      ...{ code: 255, err: expect.stringContaining('Error connecting to http://127.0.0.1:1') },
    });
    expect(await run('oneflow-template chown 0 0', elsewhere)).toMatchObject({ code: 0, err: '' });
    expect((await run('oneflow-template chown 0 oneadmin', { ONE_XMLRPC: `${url}/RPC2` })).code).toBe(0);
  });

  it('edit a service, add roles to it and remove them, and release what is on hold, with the words of later releases', async () => {
    await world.store.services.model.updateOne(
      { _id: 1 },
      { $set: { state: 'RUNNING', 'roles.0.state': 'RUNNING', 'roles.1.state': 'HOLD' } },
    );
    const edit = flow.file('edit.json', '{ "description": "edited" }');
    expect(await run(`oneflow update 1 ${edit} --append`)).toEqual({ code: 0, out: '', err: '' });
    const { body } = JSON.parse(`{"body":${(await run('oneflow show 1 -j')).out}}`);
    const whole = body.DOCUMENT.TEMPLATE.BODY;
    expect(whole.description).toBe('edited');
    const same = flow.file('whole.json', JSON.stringify({ ...whole, description: 'whole' }));
    expect(await run(`oneflow update 1 ${same}`)).toMatchObject({ code: 0, err: '' });
    const other = flow.file('other.json', JSON.stringify({ ...whole, deployment: 'none' }));
    expect(await run(`oneflow update 1 ${other}`)).toMatchObject({
      ...{ code: 244, err: expect.stringContaining('Immutable value') },
    });
    const role = flow.file('role.json', '{ "name": "cache", "vm_template": 0, "cardinality": 1 }');
    expect(await run(`oneflow add-role 1 ${role}`)).toEqual({ code: 0, out: '', err: '' });
    expect((await run('oneflow remove-role 1 nobody')).code).toBeGreaterThan(0);
    expect(await run('oneflow release 1')).toEqual({ code: 0, out: '', err: '' });
    expect((await world.store.services.find(1))?.roles.map(({ name, state }) => `${name} ${state}`)).toEqual([
      ...['frontend RUNNING', 'worker PENDING', 'cache SCALING'],
    ]);
  });

  it('end with the status as the exit code, and its sentence', async () => {
    const missing = await run('oneflow show 99');
    expect([missing.code, missing.err]).toEqual([148, expect.stringContaining('Error getting document [99].')]);
    expect((await run('oneflow scale 1 nobody 3')).code).toBe(244);
    expect(await run('oneflow scale 1 frontend many')).toMatchObject({
      code: 255,
      err: expect.stringContaining('integer'),
    });
    expect((await run('oneflow list -u oneadmin -p wrong')).code).toBe(145);
    expect(await run('oneflow list', { ONE_AUTH: join(flow.directory, 'none') })).toMatchObject({
      ...{ code: 255, err: expect.stringContaining('ONE_AUTH') },
    });
    expect((await run('oneflow bogus')).code).toBe(255);
    const nowhere = await run('oneflow list', { ONEFLOW_URL: 'http://127.0.0.1:1' });
    expect([nowhere.code, nowhere.err]).toEqual([
      255,
      expect.stringContaining('Error connecting to http://127.0.0.1:1'),
    ]);
    expect((await run('oneflow list', { ONEFLOW_USER: 'alice', ONEFLOW_PASSWORD: 'alice' })).code).toBe(0);
    // With the password of somebody else he would ask as another.
    for (const [line, half] of [
      ['oneflow list -u alice', {}],
      ['oneflow list', { ONEFLOW_PASSWORD: 'alice' }],
    ] as const)
      expect(await run(line, half)).toMatchObject({ code: 255, err: expect.stringContaining('ONEFLOW_PASSWORD') });
  });
});
