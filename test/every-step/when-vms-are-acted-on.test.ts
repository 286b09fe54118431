import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domainDevices } from '../../domain/vms/vm-devices.js';
import { RecoverAction, type Vm } from '../../schemas/vms/vm.js';
import { type Deed, everyStep } from '../support/every-step.js';
import { someOf } from '../support/some-of.js';
import { type VmRow, vmDeeds, vmRows } from '../support/vm-deeds.js';
import { VmsAtRest, wordOf } from '../support/vms-at-rest.js';
import { newWorld, type World } from '../support/world.js';
import { leasesOf, newNetwork } from '../support/world-networks.js';
import { development } from '../support/world-server.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
  await newNetwork(world, 'public', '10.0.0.1', 8_192);
  world.inTemplates = { NIC: { NETWORK: 'public' }, DISK: [fs, fs] };
});
afterAll(() => world.stop());

const fs = { TYPE: 'fs', SIZE: 4, FORMAT: 'qcow2' };
const vms = new VmsAtRest(() => world);

/** What there is of the domain of one that is so; one that failed may have one or none. */
const domains: Readonly<Record<string, readonly unknown[]>> = {
  ...{ RUNNING: [null], POWEROFF: ['stopped'], SUSPENDED: ['suspended'], STOPPED: ['suspended'] },
  ...{ UNDEPLOYED: [], DONE: [] },
};
/** What it had in memory is kept: it goes on in the domain that it had. */
const saved = /^(SUSPENDED|STOPPED|EPILOG_STOP_FAILURE|PROLOG_RESUME_FAILURE)$/;
/** Outcomes of calls that changed something. */
const deeds =
  /^(created|replaced|started|destroyed|stopped|rebooted|suspended|resumed|moved|changed|kept|reverted|dropped)$/;

function deedOf({ from, deed, asksAgain }: VmRow): Deed {
  const begun = new Map<number, { before: Vm; journal: number }>();
  const of = (vm: number | null) => {
    const its = begun.get(vm ?? -1);
    if (!its) throw new Error('the deed begins from a VM');
    return { ...its, vm: its.before._id };
  };
  const becomes = deed.becomes ?? from;
  const isThere = async (id: number): Promise<boolean> => {
    const now = await world.vm(id);
    return wordOf(now) === becomes && deed.isDone(world, now, of(id).before);
  };
  return {
    prepare: async () => {
      const vm = await vms.in(from, deed.ready);
      deed.truth?.(world, vm);
      begun.set(vm, { before: await world.vm(vm), journal: world.hypervisor.journal.length });
      return vm;
    },
    ask: (known) => {
      const { vm, before } = of(known);
      return deed.ask(world, vm, before);
    },
    again: async (vm) => {
      // A look at its host says what it is.
      if (wordOf(await world.vm(vm)) === 'UNKNOWN' && !asksAgain('UNKNOWN')) await world.tick('monitorHosts');
      if (await isThere(vm)) return null;
      return asksAgain(wordOf(await world.vm(vm))) ? deed.ask(world, vm, of(vm).before) : world.recoverVm(vm, 'retry');
    },
    arrived: async (id) => {
      expect(await isThere(id)).toBe(true);
      const vm = await world.vm(id);
      expect(vm).toMatchObject({ hold: null, operation: null, wanted: null });
      const its = world.hypervisor.domains().filter((domain) => domain.vm === id);
      expect(its.map(({ down }) => down)).toEqual(domains[becomes]);
      for (const { devices } of its)
        expect({ ...devices, disks: devices.disks.map((disk) => ({ ...disk, reverted: null })) }).toEqual(
          domainDevices(vm),
        );
      const had = becomes === 'DONE' ? [] : (vm.nics ?? []);
      expect(await leasesOf(world, id)).toEqual(had.map(({ nic_id, lease }) => [nic_id, lease?.network, lease?.index]));
      onlyOnce(id);
    },
    leaves: (vm) => vms.leave(vm),
    cancelled: async (vm) => wordOf(await world.vm(vm)),
    afterCancel: new RegExp(`^(${[from, ...(deed.midway ?? [])].join('|')})$`),
    stops: 0,
  };

  /** Nothing was done twice under one claim, and no domain made of what has one. */
  function onlyOnce(id: number): void {
    const its = world.hypervisor.journal
      .slice(of(id).journal)
      .flatMap(({ vm, call, epoch, outcome }) => (vm === id && deeds.test(outcome) ? [[call, epoch, outcome]] : []));
    expect(new Set(its.map(String)).size, its.join('; ')).toBe(its.length);
    const made = its.filter(([, , outcome]) => outcome === 'created' || outcome === 'replaced');
    if (deed.makes === undefined || (deed.makes === 'one' && saved.test(from))) expect(made).toEqual([]);
  }
}

it('has rows of each action that takes an operation, and of each recovery', () => {
  const named = new Set(vmRows.map(({ name }) => name));
  const acted = Object.entries(vmDeeds).flatMap(([action, deed]) => (typeof deed === 'string' ? [] : [action]));
  expect([...named].sort()).toEqual([...acted, ...RecoverAction.options.map((one) => `recover --${one}`)].sort());
});

const rows = vmRows.map((row, at) => [row.name, row.from, row, at] as const);
describe.each(someOf(rows, 51))('%s of a VM that is %s', (_, _from, row, at) =>
  everyStep(() => world, deedOf(row), at),
);
