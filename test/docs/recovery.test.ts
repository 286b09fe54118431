import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { nextVmState } from '../../domain/vms/vm-events.js';
import { recoveries } from '../../domain/vms/vm-recover.js';
import { vmStateNames } from '../../domain/vms/vm-states.js';
import { RecoverAction } from '../../schemas/vms/vm.js';

const short = (state: string): string => state.replace('ACTIVE/', '');

function cell(state: (typeof vmStateNames)[number], action: RecoverAction): string {
  const recovery = recoveries[state][action];
  if (recovery.do === 'nothing') return '–';
  if (recovery.do !== 'claim') return recovery.do;
  const after = nextVmState(state, recovery.event);
  expect(after, `${state} ${action}`).toBeDefined();
  return short(after ?? '');
}

it('the page on recovery has the table by which recoveries go', async () => {
  const page = await readFile(new URL('../../docs/recovery.md', import.meta.url), 'utf8');
  const [, table = ''] = /<!-- recoveries -->\n([\s\S]*?)<!-- \/recoveries -->/.exec(page) ?? [];
  const cells = table
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[ -]*-/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((text) => text.trim()),
    );
  expect(cells).toEqual([
    ['State', ...RecoverAction.options],
    ...vmStateNames.map((state) => [short(state), ...RecoverAction.options.map((action) => cell(state, action))]),
  ]);
});
