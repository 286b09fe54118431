import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkout } from '../../../adapters/process/checkout.js';
import { nextAfter } from '../../../domain/recurring.js';
import { eachMetric } from '../../../schemas/hosts/metrics.js';
import { type Service, ServiceState } from '../../../schemas/services/service.js';
import { ServiceTemplateBody } from '../../../schemas/services/service-template.js';
import { myServiceText } from '../../domain/services/my-service.js';
import { madeVm } from '../../support/made-vm.js';
import { addGroup, addUser } from '../../support/people.js';
import { type FlowWorld, startFlowWorld } from './flow-world.js';

// Chapter 1 of the guide of OpenNebula 5.0, example by example, as far as no other test plays it: docs/oneflow.md says which.

let flow: FlowWorld;
beforeAll(async () => {
  flow = await startFlowWorld();
  for (const name of ['zero', 'one', 'two', 'three'])
    await flow.world.ask('oneadmin', 'post', '/vm-templates', { name, template: { CPU: 1, MEMORY: 64 } });
});
afterAll(() => flow.stop());

const run = (line: string) => flow.run(line);
const linesOf = async (line: string): Promise<string[]> => {
  const { code, out, err } = await run(line);
  expect([code, err], line).toEqual([0, '']);
  return out.trimEnd().split('\n');
};
const silent = async (line: string) => expect(await linesOf(line), line).toEqual(['']);

/** What happens to a service without anybody who would carry it out. */
async function becomes(id: number, state: Service['state'], roles: Partial<Record<string, Service['state']>>) {
  const service = await flow.world.store.services.find(id);
  await flow.world.store.services.model.updateOne(
    { _id: id },
    {
      $set: {
        ...{ state, operation: null, wanted: null },
        roles: service?.roles.map((role) => ({ ...role, operation: null, state: roles[role.name] ?? state })),
      },
    },
  );
}
const vmOf = (_id: number, id: number, role: string, ordinal: number, lcm_state: 'RUNNING' | 'LCM_INIT' | 'BOOT') =>
  madeVm({
    ...{ _id, name: `${role}_${ordinal}_(service_${id})`, service: { id, role, ordinal }, lcm_state },
    state: lcm_state === 'LCM_INIT' ? 'PENDING' : 'ACTIVE',
  });

describe('the guide’s chapter 1', () => {
  it('1.2.2: each option of oneflow-server.conf has its place', () => {
    const page = readFileSync(join(checkout, 'docs', 'oneflow.md'), 'utf8');
    const options = ['one_xmlrpc', 'lcm_interval', 'host', 'port', 'default_cooldown', 'shutdown_action'];
    for (const option of [...options, 'action_number', 'action_period', 'vm_name_template', 'core_auth', 'debug_level'])
      expect(page).toMatch(new RegExp(`^\\| \`:${option}\` +\\|`, 'm'));
  });

  it('1.3.1 to 1.3.3: my_service is registered, listed, shown, deployed, and shown while it is', async () => {
    // The guide leaves open which; while it deploys, nobody reports.
    const text = myServiceText.replace('"ready_status_gate": true', '"ready_status_gate": false');
    expect(await linesOf(`oneflow-template create ${flow.file('my_service.json', text)}`)).toEqual(['ID: 0']);
    expect((await linesOf('oneflow-template list')).map(spaced)).toEqual([
      'ID USER GROUP NAME',
      '0 oneadmin oneadmin my_service',
    ]);
    expect((await linesOf('oneflow-template show 0')).slice(0, 13).map(spaced)).toEqual([
      'SERVICE TEMPLATE 0 INFORMATION',
      ...['ID : 0', 'NAME : my_service', 'USER : oneadmin', 'GROUP : oneadmin', ''],
      ...['PERMISSIONS', 'OWNER : um-', 'GROUP : ---', 'OTHER : ---', '', 'TEMPLATE CONTENTS', '{'],
    ]);
    expect(await linesOf('oneflow-template instantiate 0')).toEqual(['ID: 1']);
    expect((await linesOf('oneflow list')).map(spaced)).toEqual([
      'ID USER GROUP NAME STATE',
      '1 oneadmin oneadmin my_service PENDING',
    ]);
    const roles = { frontend: 'RUNNING', db_master: 'DEPLOYING', db_slave: 'DEPLOYING', worker: 'PENDING' } as const;
    await becomes(1, 'DEPLOYING', roles);
    const { store } = flow.world;
    await store.vms.model.insertMany([
      vmOf(0, 1, 'frontend', 0, 'RUNNING'),
      ...[1].map((vm) => vmOf(vm, 1, 'db_master', 0, 'LCM_INIT')),
      ...[2, 3, 4].map((vm, at) => vmOf(vm, 1, 'db_slave', at, 'LCM_INIT')),
    ]);
    await store.metrics.add([
      { host: 1, vm: 0, epoch: 1, at: new Date(), ...eachMetric(() => 0), cpu: 67, memory: 123_187 },
    ]);
    const nodes = 'VM_ID NAME STAT UCPU UMEM HOST TIME';
    const shown = (await linesOf('oneflow show 1')).map(spaced);
    expect(shown.slice(0, shown.indexOf('LOG MESSAGES'))).toEqual([
      ...['SERVICE 1 INFORMATION', 'ID : 1', 'NAME : my_service', 'USER : oneadmin', 'GROUP : oneadmin'],
      ...['STRATEGY : straight', 'SERVICE STATE : DEPLOYING', ''],
      ...['PERMISSIONS', 'OWNER : um-', 'GROUP : ---', 'OTHER : ---', ''],
      ...['ROLE frontend', 'ROLE STATE : RUNNING', 'CARDINALITY : 1', 'VM TEMPLATE : 0'],
      ...['NODES INFORMATION', nodes, '0 frontend_0_(service_1) runn 67 120.3M 0d 00h00', ''],
      ...['ROLE db_master', 'ROLE STATE : DEPLOYING', 'PARENTS : frontend', 'CARDINALITY : 1', 'VM TEMPLATE : 1'],
      ...['NODES INFORMATION', nodes, '1 db_master_0_(service_1) pend 0 0K 0d 00h00', ''],
      ...['ROLE db_slave', 'ROLE STATE : DEPLOYING', 'PARENTS : frontend', 'CARDINALITY : 3', 'VM TEMPLATE : 2'],
      ...['NODES INFORMATION', nodes, '2 db_slave_0_(service_1) pend 0 0K 0d 00h00'],
      ...['3 db_slave_1_(service_1) pend 0 0K 0d 00h00', '4 db_slave_2_(service_1) pend 0 0K 0d 00h00', ''],
      ...['ROLE worker', 'ROLE STATE : PENDING', 'PARENTS : db_master, db_slave', 'CARDINALITY : 10'],
      ...['VM TEMPLATE : 3', 'NODES INFORMATION', nodes, ''],
    ]);
  });

  it('1.3.3: services and roles have its states', () => {
    const states = ['PENDING', 'DEPLOYING', 'RUNNING', 'WARNING', 'SCALING', 'COOLDOWN', 'UNDEPLOYING', 'DONE'];
    expect(ServiceState.options).toEqual(
      expect.arrayContaining([...states, 'FAILED_DEPLOYING', 'FAILED_UNDEPLOYING', 'FAILED_SCALING']),
    );
  });

  it('1.3.4: my_service is given to johndoe and apptools with its VMs, and shared', async () => {
    const { world } = flow;
    const group = await addGroup(world.directory, 'apptools');
    await addUser(world.directory, 'johndoe', { gid: group._id });
    await becomes(1, 'RUNNING', {});
    expect((await linesOf('oneflow list')).map(spaced)).toContain('1 oneadmin oneadmin my_service RUNNING');
    await silent('oneflow chown my_service johndoe apptools');
    expect((await linesOf('oneflow list')).map(spaced)).toContain('1 johndoe apptools my_service RUNNING');
    const vms = (await world.ask('oneadmin', 'get', '/vms')).body.items;
    expect(vms.map(({ uname, gname }: { uname: string; gname: string }) => `${uname} ${gname}`)).toEqual(
      Array(5).fill('johndoe apptools'),
    );
    const permissions = async (command: string) => {
      const lines = (await linesOf(command)).map(spaced);
      return lines.slice(lines.indexOf('PERMISSIONS') + 1).slice(0, 3);
    };
    expect(await permissions('oneflow show 1')).toEqual(['OWNER : um-', 'GROUP : ---', 'OTHER : ---']);
    await silent('oneflow chmod my_service 660');
    expect(await permissions('oneflow show 1')).toEqual(['OWNER : um-', 'GROUP : um-', 'OTHER : ---']);
    await silent('oneflow-template chmod 0 604');
    expect(await permissions('oneflow-template show 0')).toEqual(['OWNER : um-', 'GROUP : ---', 'OTHER : u--']);
  });

  it('1.3.5: every action is known, and comes to some VMs of a role at a time', async () => {
    const actions = ['terminate', 'terminate-hard', 'undeploy', 'undeploy-hard', 'hold', 'release', 'stop', 'suspend'];
    const others = ['resume', 'reboot', 'reboot-hard', 'poweroff', 'poweroff-hard', 'snapshot-create'];
    for (const action of [...actions, ...others])
      await silent(`oneflow action my_service db_slave ${action} --period 300 --number 2 --args before`);
    // Those of later releases.
    for (const action of [
      'snapshot-revert --args 3',
      'disk-snapshot-create --args 0,before',
      'disk-snapshot-delete --args 0,3',
    ])
      await silent(`oneflow action my_service db_slave ${action}`);
    const its = await flow.world.store.operations.model.find({ kind: 'performOnRole' }).sort({ _id: 1 }).lean().exec();
    expect(its[0]).toMatchObject({
      ...{ role: 'db_slave', input: { action: 'terminate', vms: [2, 3, 4], number: 2, period: 300 } },
    });
    expect(its.find(({ input }) => 'action' in input && input.action === 'snapshot-create')?.input).toMatchObject({
      name: 'before',
    });
    expect(its.slice(-2).map(({ input }) => input)).toMatchObject([
      { action: 'disk-snapshot-create', disk: 0, name: 'before', vms: [2, 3, 4] },
      { action: 'disk-snapshot-delete', disk: 0, snapshot: 3, vms: [2, 3, 4] },
    ]);
  });

  it('1.4.1, 1.4.2, 1.4.4: a role has its range and its policies, and is scaled within it, or beyond by force', async () => {
    expect(await linesOf(`oneflow-template create ${flow.file('fragments.json', fragments)}`)).toEqual([
      expect.stringMatching(/^ID: \d+$/),
    ]);
    const [told = ''] = await linesOf('oneflow-template instantiate fragments');
    const id = Number(told.slice('ID: '.length));
    await becomes(id, 'RUNNING', {});
    const beyond = await run(`oneflow scale ${id} frontend 9`);
    expect([beyond.code, beyond.err]).toEqual([144, expect.stringContaining('above max_vms 5')]);
    await silent(`oneflow scale ${id} frontend 4`);
    await becomes(id, 'SCALING', {});
    const vms = [...[94, 95].map((vm) => [vm, 'RUNNING'] as const), ...[96, 97].map((vm) => [vm, 'BOOT'] as const)];
    await flow.world.store.vms.model.insertMany(vms.map(([vm, state], at) => vmOf(vm, id, 'frontend', at, state)));
    // 1.4.5
    const shown = await linesOf(`oneflow show ${id}`);
    for (const line of [
      `    94 frontend_0_(service_${id})`,
      `  ↑ 96 frontend_2_(service_${id})`,
      `  ↑ 97 frontend_3_(service_${id})`,
      'MIN VMS             : 1',
      'MAX VMS             : 5',
      '+ 2          (ATT > 50) && !(OTHER_ATT = 5.5 || ABC <= 30)    0/3   10s',
      '- 10 % (2)   ATT < 20                                         -     -',
      '= 6          0 9 * * mon,tue,wed,thu,fri',
      '= 2          */10 * * * *',
    ])
      expect(
        shown.some((one) => one.startsWith(line)),
        `${line}\n${shown.join('\n')}`,
      ).toBe(true);
    expect(shown.join('\n')).toMatch(/\n\+ 10 % +2(nd oct |017-10-0)2/);
    await becomes(id, 'RUNNING', {});
    await silent(`oneflow scale ${id} frontend 9 --force`);
  });

  it('1.4.7: Time_windows has six VMs in the morning, ten in the afternoon, and two otherwise', async () => {
    expect(await linesOf(`oneflow-template create ${flow.file('windows.json', timeWindows)}`)).toHaveLength(1);
    const listed = (await flow.world.ask('oneadmin', 'get', '/service-templates?filter=name=Time_windows')).body.items;
    const [role] = ServiceTemplateBody.parse(listed[0].body).roles;
    const policies = role?.scheduled_policies ?? [];
    expect(policies).toHaveLength(3);
    /** The one that was due last, after a week of them. */
    const cardinalityAt = (time: string): number | undefined => {
      const now = new Date(time);
      const dues = policies.flatMap((policy) => {
        const all: { at: Date; adjust: number | undefined }[] = [];
        const from = new Date(now.getTime() - 7 * 86_400_000);
        for (let at = nextAfter(policy, 'UTC', from); at && at <= now; at = nextAfter(policy, 'UTC', at))
          all.push({ at, adjust: policy.adjust });
        return all;
      });
      return dues.toSorted((one, other) => one.at.getTime() - other.at.getTime()).at(-1)?.adjust;
    };
    // Friday, the weekend, Monday.
    const times = ['13T08:59', '13T09:00', '13T12:59', '13T13:00', '13T22:29', '13T22:30', '14T12:00', '15T23:00'];
    expect([...times, '16T08:59', '16T09:00'].map((time) => cardinalityAt(`2026-11-${time}:00Z`))).toEqual([
      ...[2, 6, 6, 10, 10, 2, 2, 2, 2, 6],
    ]);
  });
});

const spaced = (line: string): string => line.trim().replaceAll(/ +/g, ' ');

/** 1.4.1, 1.4.4 and the rules of 1.4.5 in one role; the guide's comments among them. */
const fragments = `{
  "name": "fragments",
  "roles": [
    {
      "name": "frontend",
      "cardinality": 1,
      "vm_template": 0,

      "min_vms" : 1,
      "max_vms" : 5,

      "elasticity_policies" : [
        {
          "expression" : "(ATT > 50) && !(OTHER_ATT = 5.5 || ABC <= 30)",
          "type" : "CHANGE",
          "adjust" : 2,

          "period_number" : 3,
          "period" : 10
        },
        { "expression" : "ATT < 20", "type" : "PERCENTAGE_CHANGE", "adjust" : -10, "min_adjust_step" : 2 }
      ],
      "scheduled_policies" : [
        {
          // Set cardinality to 2 each 10 minutes
          "recurrence" : "*/10 * * * *",

          "type" : "CARDINALITY",
          "adjust" : 2
        },
        {
          // +10 percent at the given date and time
          "start_time" : "2nd oct 2017 15:45",

          "type" : "PERCENTAGE_CHANGE",
          "adjust" : 10
        },
        { "recurrence" : "0 9 * * mon,tue,wed,thu,fri", "type" : "CARDINALITY", "adjust" : 6 }
      ]
    }
  ]
}`;

const timeWindows = `/*
A comment of some lines.
*/
{
  "name": "Time_windows",
  "deployment": "none",
  "roles": [
    {
      "name": "frontend",
      "cardinality": 1,
      "vm_template": 0,

      "min_vms" : 1,
      "max_vms" : 15,

      // These policies set the cardinality to:
      // 6 from 9:00 to 13:00
      // 10 from 13:00 to 22:30
      // 2 from 22:30 to 09:00, and the weekend

      "scheduled_policies" : [
        {
          "type" : "CARDINALITY",
          "recurrence" : "0 9 * * mon,tue,wed,thu,fri",
          "adjust" : 6
        },
        {
          "type" : "CARDINALITY",
          "recurrence" : "0 13 * * mon,tue,wed,thu,fri",
          "adjust" : 10
        },
        {
          "type" : "CARDINALITY",
          "recurrence" : "30 22 * * mon,tue,wed,thu,fri",
          "adjust" : 2
        }
      ]
    }
  ]
}`;
