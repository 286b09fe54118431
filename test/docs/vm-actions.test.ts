import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { statesOf, stateWord } from '../../domain/vms/vm-action-states.js';
import { deviceActions } from '../../domain/vms/vm-devices.js';
import { nextVmState } from '../../domain/vms/vm-events.js';
import { vmSwitches } from '../../domain/vms/vm-switches.js';
import { vmVerbs } from '../../domain/vms/vm-verbs.js';
import { VmSwitch } from '../../schemas/operations/vm-action.js';
import { DeviceAction } from '../../schemas/operations/vm-devices.js';
import { forStates, notOfImported, type VmActionName, vmActions, vmStateWords } from '../../schemas/vms/vm-actions.js';

it('the page on VMs says in which states their devices are changed, and through which', () => {
  const page = readFileSync('docs/vm-actions.md', 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| ([A-Z, ]+?) +\| ((?:`\w+`(?:, )?)+) +\|$/gm)];
  const told = new Map(rows.map(([, action = '', states, during]) => [action, [states, during]]));
  for (const action of DeviceAction.options)
    expect(told.get(action), action).toEqual([
      statesOf(action).map(stateWord).join(', '),
      Object.values(deviceActions[action])
        .map((verb) => `\`${stateWord(vmVerbs[verb].during)}\``)
        .join(', '),
    ]);
});

it('the page on switching VMs has the table that the code goes by', () => {
  const page = readFileSync('docs/vm-actions.md', 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| ([A-Z_, ]+?) +\| `(\w+)` +\| `(\w+)` +\|/gm)];
  const told = rows.map(([, action, states, during, after]) => ({ action, states, during, after }));
  const table = VmSwitch.options.map((action) => {
    const { during, leave } = vmVerbs[vmSwitches[action].verb];
    // A reboot leads nowhere else, and a snapshot back.
    return {
      ...{ action, states: statesOf(action).map(stateWord).join(', ') },
      ...{ during: stateWord(during), after: stateWord(nextVmState(during, leave) ?? during) },
    };
  });
  expect(told).toEqual(table);
});

it('it says of every action in which states it is done, as the table does', () => {
  const page = readFileSync('docs/vm-actions.md', 'utf8');
  const rows = [...page.matchAll(/^\| ([a-z`, -]+) \| +(MANAGE|ADMIN|as given) +\| ([A-Za-z_, ]+?) +\|$/gm)];
  const told = rows.flatMap(([, names = '', right, states]) =>
    [...names.matchAll(/`([a-z-]+)`/g)].map(([, name]) => ({ name, right, states })),
  );
  const isAction = (name: string): name is VmActionName => Object.hasOwn(vmActions, name);
  const table = Object.keys(vmActions)
    .filter(isAction)
    .map((name) => {
      const { right, states } = vmActions[name];
      const all = states.length === vmStateWords.length ? 'all' : 'all but DONE';
      return { name, right: right === 'ownership' ? 'as given' : right.toUpperCase(), states: forStates(name) ?? all };
    });
  expect(told).toEqual(table);
});

it('it says what is not done to VMs that were imported', () => {
  const page = readFileSync('docs/vm-actions.md', 'utf8').replaceAll('\n', ' ');
  const [, told = ''] = /imported\]\([^)]+\) refuses ((?:`[a-z-]+`(?:, | and )?)+)/.exec(page) ?? [];
  expect([...told.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name)).toEqual(notOfImported);
});
