import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { vmSwitches } from '../../domain/vms/vm-switches.js';
import { vmVerbs } from '../../domain/vms/vm-verbs.js';

const short = (state: string): string => state.replace('ACTIVE/', '');

it('the page on switching VMs has the table that the code goes by', () => {
  const page = readFileSync('docs/vm-actions.md', 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| ([A-Z, ]+?) +\| `(\w+)` +\| `(\w+)` +\|/gm)];
  const told = rows.map(([, action, states, during, after]) => ({ action, states, during, after }));
  const table = Object.entries(vmSwitches).map(([action, { verb, states }]) => {
    const { during, after } = vmVerbs[verb];
    // A reboot leads nowhere else.
    return { action, states: states.map(short).join(', '), during: short(during), after: short(after[0] ?? during) };
  });
  expect(told).toEqual(table);
});
