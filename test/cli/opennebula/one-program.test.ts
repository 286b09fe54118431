import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eachMetric } from '../../../schemas/hosts/metrics.js';
import { VmSwitch } from '../../../schemas/operations/vm-action.js';
import { createWorld, type World } from '../../api/world.js';
import { idleEngine } from '../../support/idle-engine.js';
import { madeVm } from '../../support/made-vm.js';
import { runArcus } from '../run-arcus.js';
import { runCommand, watchCommand } from './run-one.js';

let world: World;
let directory: string;
let environment: Record<string, string>;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false, engine: idleEngine });
  directory = mkdtempSync(join(tmpdir(), 'one-test-'));
  const address = world.server.address();
  environment = {
    ARCUS_ENDPOINT: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    ONE_AUTH: file('one_auth', 'oneadmin:oneadmin\n'),
  };
});
afterAll(async () => {
  await world.stop();
  rmSync(directory, { recursive: true });
});

const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const run = (line: string, more: Record<string, string> = {}, now?: () => Date) =>
  runCommand(line, { ...environment, ...more }, now);
const done = { code: 0, out: '', err: '' };

describe('onetemplate', () => {
  it('makes, lists, shows, changes, gives away and removes VM templates', async () => {
    const text = 'NAME=small\nCPU=0.5\nMEMORY=128\nPUBLIC_CLOUD=[ TYPE="EC2", AMI="ami-6f5f1206" ]\n';
    expect(await run(`onetemplate create ${file('small.tmpl', text)}`)).toEqual({ code: 0, out: 'ID: 0\n', err: '' });
    const { out: listed } = await run('onetemplate list');
    expect(listed.replace(/\d\d\/\d\d \d\d:\d\d:\d\d/, '11/15 14:15:16')).toBe(
      [
        '  ID USER            GROUP           NAME                                REGTIME',
        '   0 oneadmin        oneadmin        small                        11/15 14:15:16',
        '',
      ].join('\n'),
    );
    const shown = (await run('onetemplate show small')).out;
    expect(shown).toMatch(/^TEMPLATE 0 INFORMATION\nID {13}: 0\nNAME {11}: small\n/);
    expect(shown).toContain('\nOWNER               : um-\n');
    expect(shown).toContain('PUBLIC_CLOUD=[\n  TYPE="EC2",\n  AMI="ami-6f5f1206" ]\n');
    expect(await run(`onetemplate update 0 ${file('larger.tmpl', 'CPU=2\nMEMORY=256\n')}`)).toEqual(done);
    expect((await run('onetemplate show 0')).out).toContain('\nMEMORY="256"\n');
    expect(await run('onetemplate clone small copied')).toEqual({ ...done, out: 'ID: 1\n' });
    expect((await run('onetemplate show copied')).out).toContain('\nMEMORY="256"\n');
    expect(await run('onetemplate rename copied other')).toEqual(done);
    expect((await run('onetemplate show 1')).out).toMatch(/^NAME {11}: other$/m);
    expect(await run('onetemplate delete other')).toEqual(done);
    expect(await run('onetemplate chmod small 640')).toEqual(done);
    expect(await run('onetemplate chown small alice users')).toEqual(done);
    expect((await run('onetemplate list alice')).out).toContain('alice           users           small');
    expect((await run('onetemplate list m')).out.trim().split('\n')).toHaveLength(1);
    expect(await run('onetemplate delete small')).toEqual(done);
    expect(await run('onetemplate show small')).toMatchObject({
      code: 255,
      err: expect.stringContaining('There is no vm-template called "small".'),
    });
  });

  it('makes VMs, with names by their numbers', async () => {
    await run(`onetemplate create ${file('tiny.tmpl', 'NAME=tiny\nCPU=1\nMEMORY=64\n')}`);
    expect(await run('onetemplate instantiate tiny --name web-%i -m 2')).toEqual({
      ...{ code: 0, out: 'VM ID: 0\nVM ID: 1\n', err: '' },
    });
    expect((await run('onevm list')).out).toContain('web-1');
    await run('onetemplate instantiate tiny --hold');
    const held = await world.store.operations.model.find({ kind: 'deployVm', 'input.hold': true }).lean().exec();
    expect(held.map(({ resource }) => resource.id)).toEqual([2]);
    expect((await run('onetemplate instantiate tiny -m 0')).err).toContain(
      '--multiple must be a number from 1 to 100.',
    );
  });
});

describe('onevm', () => {
  it('lists and shows VMs as the guide has them', async () => {
    const began = new Date('2026-11-15T14:15:16Z');
    const stay = { seq: 0, hid: 0, hostname: 'localhost', vm_mad: 'simulated', stime: began, etime: null, epoch: 1 };
    await world.store.vms.model.create([
      madeVm({
        ...{ _id: 70, state: 'ACTIVE', lcm_state: 'RUNNING', name: 'frontend_0_(service_1)', created_at: began },
        history: [{ ...stay, reason: 'none' }],
        user_template: { PUBLIC_CLOUD: { TYPE: 'EC2' } },
      }),
      madeVm({ _id: 71, state: 'ACTIVE', lcm_state: 'BOOT_FAILURE', created_at: began, reason: 'no such image' }),
    ]);
    const read = { diskrdbytes: 253_187_888, diskrdiops: 9_009 };
    const sample = { ...eachMetric(() => 0), cpu: 17, memory: 44_544, nettx: 4_096, netrx: 212_992, ...read };
    await world.store.metrics.add([{ host: 0, vm: 70, epoch: 1, at: new Date(), ...sample }]);
    const now = () => new Date('2026-11-15T15:21:20Z');
    const { out: listed } = await run('onevm list oneadmin', {}, now);
    expect(listed.split('\n').filter((line) => /USER|frontend|fail/.test(line))).toEqual([
      '    ID USER     GROUP    NAME            STAT UCPU    UMEM HOST             TIME',
      '    70 oneadmin oneadmin frontend_0_(ser runn   17   43.5M localhost    0d 01h06',
      '    71 oneadmin oneadmin VM 71           fail    0      0K              0d 01h06',
    ]);
    const [cleared, mine] = await watchCommand('onevm top m', environment, 2);
    expect([cleared, mine]).toEqual([
      'clear',
      expect.stringMatching(/ 70 oneadmin oneadmin frontend_0_\(ser runn +17 +43\.5M localhost/),
    ]);
    const shown = (await run('onevm show 70', {}, now)).out;
    expect(shown).toMatch(/^VIRTUAL MACHINE 70 INFORMATION\nID {18}: 70\n/);
    expect(shown).toContain(
      '\nLCM_STATE           : RUNNING\nRESCHED             : No\nHOST                : localhost\n',
    );
    expect(shown).toContain('\nSTART TIME          : 11/15 14:15:16\nEND TIME            : -\n');
    expect(shown).toContain('\nCPU                 : 17\nMEMORY              : 43.5M\nNETTX               : 4K\n');
    expect(shown).toMatch(
      /\nNETRX {15}: 208K\nDISKRDBYTES {9}: 253187888\nDISKRDIOPS {10}: 9009\nDISKWRBYTES {9}: 0\nDISKWRIOPS {10}: 0\n/,
    );
    expect(shown).toMatch(
      /\nVIRTUAL MACHINE HISTORY\nSEQ HOST +ACTION +DS +START +TIME +PROLOG\n +0 localhost +none +- .* 0h00m00s\n/,
    );
    expect(shown).toContain('\nUSER TEMPLATE\nPUBLIC_CLOUD=[\n  TYPE="EC2" ]');
    expect(await run(`onevm update 70 ${file('more.tmpl', 'READY = YES\n')} --append`)).toEqual(done);
    expect((await run('onevm show 70')).out).toMatch(/\nUSER TEMPLATE\n[\s\S]*READY="YES"/);
    expect((await run('onevm show 70')).out).toContain('PUBLIC_CLOUD=[');
    expect(await run(`onevm update 70 ${file('other.tmpl', 'NOTE = mine\n')}`)).toEqual(done);
    expect((await run('onevm show 70')).out).toMatch(/\nUSER TEMPLATE\nNOTE="mine"\n?$/m);
    expect((await run('onevm show 70')).out).not.toMatch(/PUBLIC_CLOUD|READY/);
    expect(await run('onevm rename 71 broken')).toEqual(done);
    expect((await run('onevm show broken')).out).toMatch(/^NAME {16}: broken$/m);
    expect(JSON.parse((await run('onevm show 71 -j')).out)).toMatchObject({ id: 71, reason: 'no such image' });
  });

  it.each(VmSwitch.options)('does %s, once for each VM that is named', async (action) => {
    await world.store.vms.model.deleteMany({});
    await world.store.vms.model.create(
      [80, 81, 82].map((_id) => madeVm({ _id, state: 'ACTIVE', lcm_state: 'RUNNING', name: `vm-${_id}` })),
    );
    const isHard = action.endsWith('-hard');
    const isOfOne = action === 'snapshot-revert' || action === 'snapshot-delete';
    const snapshots = [{ id: 4, name: 'before', at: new Date(), active: true, op: 'op' }];
    await world.store.vms.model.updateMany({}, { $set: { snapshots } });
    const line = `onevm ${action.replace('-hard', '')} 80..81,vm-82${isHard ? ' --hard' : isOfOne ? ' before' : ''}`;
    expect(await run(line)).toEqual(done);
    const found = world.store.operations.model.find({ kind: 'performOnVm', state: 'accepted' });
    const asked = await found.sort({ 'resource.id': 1 }).lean().exec();
    expect(asked.map(({ resource, input }) => [resource.id, input])).toEqual(
      [80, 81, 82].map((id) => [id, { action, ...(isOfOne && { snapshot: 4 }) }]),
    );
    await world.store.operations.model.deleteMany({});
  });

  it('attaches, changes and detaches NICs and disks', async () => {
    await world.store.vms.model.deleteMany({});
    const disk = { type: 'fs', size: 10, format: 'qcow2', target: 'vda', current: null, snapshot_ids: 2 } as const;
    const taken_at = new Date();
    const snapshots = [0, 1].map((snapshot_id) => ({ snapshot_id, name: 'x', parent: null, taken_at }));
    await world.store.vms.model.create([
      madeVm({
        ...{ _id: 83, state: 'POWEROFF', lcm_state: 'LCM_INIT', name: 'vm-83' },
        nics: [{ nic_id: 2, network: 'public' }],
        disks: [
          { ...disk, disk_id: 1, snapshots: [] },
          { ...disk, disk_id: 4, target: 'vdb', snapshots, current: 1 },
        ],
        device_ids: { nic: 3, disk: 5 },
      }),
    ]);
    const shown = (await run('onevm show 83')).out;
    expect(shown).toContain('\n  2 public               02:00:00:05:30:02\n');
    expect(shown).toContain('\nLCM_STATE           : LCM_INIT\nRESCHED             : No\n');
    expect(shown).toMatch(
      /\nVM DISK SNAPSHOTS\n AC {2}ID DISK PARENT +DATE +SIZE NAME *\n +0 +4 +-1 .* - x *\n => {3}1 {4}4 {5}-1 .* - x *\n/,
    );
    expect(shown).toMatch(/\nVM DISKS\n.*\n {2}1 - +vda +qcow2 - fs +10\.0M fs +NO *\n/);
    expect(await run('onevm resize 83')).toMatchObject({ code: 255, err: expect.stringContaining('--vcpu') });
    const address_ranges = [{ type: 'IP4', ip: '10.0.0.1', size: 4 }];
    await world.ask('oneadmin', 'post', '/virtual-networks', { name: 'private', address_ranges });
    const inputs: unknown[] = [];
    for (const words of [
      'nic-attach 83 --network private --model virtio',
      'nic-detach vm-83 2',
      'disk-attach 83 --size 2G --type swap',
      'disk-detach 83 1',
      'disk-resize 83 1 20',
      'disk-snapshot-create 83 1 first',
      'disk-snapshot-revert 83 4 1',
      'disk-snapshot-delete 83 4 0',
    ]) {
      expect(await run(`onevm ${words}`), words).toEqual(done);
      inputs.push((await world.store.operations.model.findOne({ kind: 'changeDevices' }).lean().exec())?.input);
      await world.store.operations.model.deleteMany({});
      await world.store.vms.model.updateMany({}, { $set: { operation: null } });
    }
    expect(inputs).toEqual(
      [
        { action: 'nic-attach', nic: { network: 'private', model: 'virtio' } },
        { action: 'nic-detach', nic_id: 2 },
        { action: 'disk-attach', disk: { type: 'swap', size: 2_048 } },
        { action: 'disk-detach', disk_id: 1 },
        { action: 'disk-resize', disk_id: 1, size: 20 },
        { action: 'disk-snapshot-create', disk_id: 1, name: 'first' },
        { action: 'disk-snapshot-revert', disk_id: 4, snapshot_id: 1 },
        { action: 'disk-snapshot-delete', disk_id: 4, snapshot_id: 0 },
      ].map((change) => ({ change })),
    );
    expect(await run('onevm disk-attach 83 --image nowhere')).toMatchObject({
      code: 255,
      err: expect.stringContaining('there is no image "nowhere"'),
    });
    const datastore = { id: 0, ds_mad: 'fs', mb: 10, at: new Date() } as const;
    await world.store.vms.model.updateOne({ _id: 83 }, { $set: { operation: null, datastore } });
    expect(await run('onevm disk-saveas 83 1 copy --snapshot 7')).toMatchObject({
      ...{ code: 255, err: expect.stringContaining('has no snapshot 7') },
    });
    const { code, out } = await run('onevm disk-saveas 83 1 copy --type os');
    const [, image = ''] = /^Image ID: (\d+)\n$/.exec(out) ?? [];
    expect(code).toBe(0);
    expect(await world.store.images.find(Number(image))).toMatchObject({
      ...{ name: 'copy', type: 'OS', state: 'LOCKED', origin: { vm: 83, disk: 1 }, size_mb: 10 },
    });
  });

  it('has VMs switched at a time that is said', async () => {
    await world.store.vms.model.create(madeVm({ _id: 84, state: 'ACTIVE', lcm_state: 'RUNNING' }));
    expect(await run('onevm poweroff 84 --hard --schedule 2999-10-02T15:45:00Z')).toEqual(done);
    expect(await run('onevm terminate 84 --schedule +999999999')).toEqual(done);
    expect((await world.store.vms.find(84))?.schedule?.of.map(({ action, next_at }) => [action, next_at])).toEqual([
      ['poweroff-hard', new Date('2999-10-02T15:45:00Z')],
      ['terminate', expect.any(Date)],
    ]);
    expect((await run('onevm poweroff 84 --schedule 1999-10-02')).code).toBe(255);
    expect((await run('onevm terminate 84 --schedule +0')).err).toContain('+0 counts from when the VM was made');
    expect(await world.store.operations.model.countDocuments({ 'resource.id': 84 })).toBe(0);
  });

  it('puts VMs on hold and lets go of them, deploys and migrates them to a host, and marks them', async () => {
    const { id: host } = (await world.ask('oneadmin', 'post', '/hosts', { name: 'node-1', cpu: 8, memory: 8_192 }))
      .body;
    await world.ask('oneadmin', 'post', '/hosts', { name: 'node-2', cpu: 8, memory: 8_192 });
    await world.store.hosts.model.updateMany({}, { $set: { state: 'MONITORED', total: { cpu: 800, memory: 8_192 } } });
    await world.store.vms.model.create([97, 98].map((_id) => madeVm({ _id, state: 'HOLD', lcm_state: 'LCM_INIT' })));
    expect((await run('onevm list')).out).toMatch(/^ +97 .* hold /m);
    expect(await run('onevm deploy 97 node-1')).toEqual(done);
    expect(await run('onevm release 98')).toEqual(done);
    const began = { seq: 0, hid: host, hostname: 'node-1', vm_mad: 'simulated' as const, stime: new Date(), epoch: 1 };
    const history = [{ ...began, etime: null, reason: 'none' as const }];
    await world.store.vms.model.create(
      [95, 96].map((_id) => madeVm({ _id, state: 'ACTIVE', lcm_state: 'RUNNING', history })),
    );
    expect(await run('onevm migrate 95 node-2 --live')).toEqual(done);
    expect(await run('onevm resched 96')).toEqual(done);
    expect((await world.store.vms.find(96))?.resched).toBeDefined();
    expect(await run('onevm unresched 96')).toEqual(done);
    const asked = await world.store.operations.model
      .find({ kind: { $in: ['deployVm', 'migrateVm'] } })
      .lean()
      .exec();
    expect(asked.map(({ kind, input }) => [kind, input])).toEqual(
      expect.arrayContaining([
        ['deployVm', expect.objectContaining({ host })],
        ['migrateVm', expect.objectContaining({ live: true })],
      ]),
    );
    expect((await run('onevm hold 96')).code).toBe(255);
  });

  it('recovers by what is said of it, by one thing alone', async () => {
    await world.store.vms.model.create([
      madeVm({ _id: 90, state: 'ACTIVE', lcm_state: 'BOOT_FAILURE' }),
      madeVm({ _id: 91, state: 'ACTIVE', lcm_state: 'RUNNING' }),
    ]);
    for (const line of ['onevm recover 90', 'onevm recover 90 --retry --delete'])
      expect(await run(line)).toMatchObject({ code: 255, err: expect.stringContaining('Need to specify the result') });
    expect(await run('onevm recover 90 --success')).toEqual(done);
    expect(await run('onevm recover 91 --success')).toMatchObject({
      code: 255,
      err: expect.stringContaining('it runs: there is nothing to recover.'),
    });
    const [asked] = await world.store.operations.model.find({ kind: 'recoverVm' }).lean().exec();
    expect(asked).toMatchObject({ resource: { id: 90 }, input: { claim: 'success' } });
  });

  /** Answers what is asked; where an answer begins an operation, its run comes to this, as a worker would write it down. */
  function playing(vm: number, ...keys: (string | [key: string, error: string | null])[]) {
    const runs: Promise<unknown>[] = [];
    const ends = async (skips: boolean, error: string | null): Promise<void> => {
      const { _id: op } = await vi.waitUntil(
        () =>
          world.store.operations.model.findOne({ kind: 'debugVm', 'resource.id': vm, ended_at: null }).lean().exec(),
        { timeout: 300_000, interval: 20 },
      );
      const { debugging, epoch } = await world.store.vms.model.findById(vm).lean().orFail().exec();
      const { done: before = [], session = epoch } = debugging ?? {};
      const at = new Date();
      const answered = error === null ? [...before, { how: skips ? 'skipped' : 'succeeded', op, at }] : before;
      const failed = error === null ? null : { error, op, at };
      await world.store.vms.model.updateOne(
        { _id: vm },
        { $set: { debugging: { session, epoch, done: answered, failed } } },
      );
      const outcome = { state: 'failed', error: { code: 'vm_failed', detail: error ?? '' } } as const;
      await world.store.endings.end(op, error === null ? { state: 'succeeded' } : outcome);
    };
    const ask = async (): Promise<string> => {
      const next = keys.shift() ?? 'q';
      if (typeof next === 'string') return next;
      const [key, error] = next;
      runs.push(ends(key === 'n', error));
      return key;
    };
    return { ask, played: () => Promise.all(runs) };
  }
  const stay = {
    seq: 0,
    hid: 0,
    vm_mad: 'simulated',
    stime: new Date(),
    etime: null,
    epoch: 4,
    reason: 'none',
  } as const;
  const failed = (_id: number) =>
    madeVm({
      ...{ _id, state: 'ACTIVE', lcm_state: 'BOOT_FAILURE', epoch: 4, reason: 'no such image' },
      history: [{ ...stay, hostname: 'haddock' }],
    });

  it('goes through what failed action by action, as the guide has it', async () => {
    await world.store.vms.model.create(failed(2));
    const { ask, played } = playing(2, ['r', null], ['r', 'haddock: no space left'], 'x', 'a', ['r', null]);
    const said = await runCommand('onevm recover 2 --retry --interactive', environment, undefined, ask);
    await played();
    const list = ['TM Action list:', '(1) DESTROY simulated haddock one-2', '(2) DEPLOY simulated haddock one-2', ''];
    const menu = [
      'Choose action:',
      ...['(r) Run action', '(n) Skip to next action', '(a) Show all actions', '(q) Quit', ''],
    ];
    const second = ['Current action (2):', 'DEPLOY simulated haddock one-2', '', ...menu];
    expect(said).toEqual({
      code: 0,
      err: '',
      out: [
        ...['TM Debug Interactive Environment.', '', ...list],
        ...['Current action (1):', 'DESTROY simulated haddock one-2', '', ...menu],
        ...['SUCCESS', '', ...second],
        ...['LOG I  Command execution fail: haddock: no space left', '', 'FAILURE. Repeat command.', '', ...second],
        ...second,
        ...list,
        ...second,
        ...['SUCCESS', ''],
        'If all the TM actions have been successful and you want to',
        'recover the Virtual Machine to the RUNNING state execute this command:',
        '$ onevm recover 2 --success',
        '',
      ].join('\n'),
    });
    expect(await run('onevm recover 2 --success')).toEqual(done);
  });

  it('leaves a session where it is, and says what to do where nobody can be asked', async () => {
    await world.store.vms.model.create(failed(3));
    const person = (ask: () => Promise<string>) => ({ ask, askSecretly: ask });
    const arcus = (words: string, ask?: () => Promise<string>) =>
      runArcus(words.split(' '), { ...environment, ARCUS_AUTH: 'oneadmin:oneadmin' }, '', ask ? person(ask) : null);
    const before = await world.store.vms.model.findById(3).lean().exec();
    expect((await arcus('vm recover 3 --retry --interactive', playing(3).ask)).out).toContain('Current action (1):');
    expect(await world.store.vms.model.findById(3).lean().exec()).toEqual(before);
    const { ask, played } = playing(3, ['n', null], 'q');
    expect((await arcus('vm recover 3 --retry --interactive', ask)).out).toContain('Current action (2):');
    await played();
    expect((await arcus('vm show 3')).out).toMatch(
      /\n +1 +DESTROY .* skipped +-\n> +2 +DEPLOY .* failed +no such image\n/,
    );
    expect((await arcus('vm why 3')).out).toContain('arcus vm recover 3 --retry --interactive');
    for (const line of ['onevm recover 3 --retry --interactive', 'onevm recover 3 --success --interactive'])
      expect(await run(line)).toMatchObject({ code: 255, out: '' });
    expect(await arcus('vm recover 3 --retry --interactive')).toMatchObject({
      ...{ code: 2, out: '' },
      err: expect.stringContaining('arcus vm recover 3 --retry --run NUMBER'),
    });
    expect((await arcus('vm recover 3 --run 2')).code).toBe(2);
    expect(await arcus('vm recover 3 --retry --run 1')).toMatchObject({
      code: 4,
      err: expect.stringContaining('Action 1 of VM 3 is not the one that is to be done next: that is action 2,'),
    });
    expect((await arcus('vm recover 3 --retry --run 2')).out).toContain('debugVm accepted as operation');
    expect((await arcus('vm recover 91 --retry --interactive', ask)).code).toBe(4);
  });

  it('says what is wrong with words, ranges and credentials', async () => {
    expect(await run('onevm explode 1')).toMatchObject({ code: 255, err: expect.stringContaining('unknown command') });
    expect((await run('onevm terminate 1..5000')).err).toContain('1..5000 is too wide a range.');
    const stranger = { ONE_AUTH: file('wrong', 'oneadmin:wrong\n') };
    expect(await run('onevm list', stranger)).toMatchObject({ code: 255, out: '' });
    expect((await run('onevm list', { ONE_AUTH: '/nowhere/one_auth' })).err).toContain('/nowhere/one_auth');
  });
});
