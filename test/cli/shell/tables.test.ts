import { describe, expect, it } from 'vitest';
import { type Column, tableOf } from '../../../cli/shell/output.js';

type Machine = { id: number; user: string; name: string; state: string; memory: string; host: string };
const columns: Column<Machine>[] = [
  { title: 'ID', text: ({ id }) => String(id), right: true },
  { title: 'USER', text: ({ user }) => user },
  { title: 'NAME', text: ({ name }) => name, cut: true, kept: true },
  { title: 'STATE', text: ({ state }) => state, kept: true },
  { title: 'MEMORY', text: ({ memory }) => memory, right: true },
  { title: 'HOST', text: ({ host }) => host, cut: true },
];
const machines: Machine[] = [
  { id: 7, user: 'oneadmin', name: 'frontend_0_(service_1)', state: 'RUNNING', memory: '256M', host: 'sample-host-1' },
  { id: 12, user: 'ann', name: 'db', state: 'BOOT_FAILURE', memory: '1024M', host: '-' },
];

/** From wide to narrow: at which width of a terminal what stands there. */
const widths: [width: number | null, lines: string[]][] = [
  [
    null,
    [
      'ID  USER      NAME                    STATE         MEMORY  HOST',
      ' 7  oneadmin  frontend_0_(service_1)  RUNNING         256M  sample-host-1',
      '12  ann       db                      BOOT_FAILURE   1024M  -',
    ],
  ],
  [
    73,
    [
      'ID  USER      NAME                    STATE         MEMORY  HOST',
      ' 7  oneadmin  frontend_0_(service_1)  RUNNING         256M  sample-host-1',
      '12  ann       db                      BOOT_FAILURE   1024M  -',
    ],
  ],
  [
    60,
    [
      'ID  USER      NAME         STATE         MEMORY  HOST',
      ' 7  oneadmin  frontend_0…  RUNNING         256M  sample-hos…',
      '12  ann       db           BOOT_FAILURE   1024M  -',
    ],
  ],
  [
    53,
    [
      'ID  USER      NAME               STATE         MEMORY',
      ' 7  oneadmin  frontend_0_(serv…  RUNNING         256M',
      '12  ann       db                 BOOT_FAILURE   1024M',
    ],
  ],
  [
    40,
    [
      'ID  USER      NAME          STATE',
      ' 7  oneadmin  frontend_0_…  RUNNING',
      '12  ann       db            BOOT_FAILURE',
    ],
  ],
  [30, ['ID  NAME          STATE', ' 7  frontend_0_…  RUNNING', '12  db            BOOT_FAILURE']],
  [10, ['ID  NAME      STATE', ' 7  fronten…  RUNNING', '12  db        BOOT_FAILURE']],
];

describe('a table', () => {
  it.each(widths)('on a terminal of %j columns has what there is room for', (width, lines) => {
    expect(tableOf(columns, machines, width).split('\n')).toEqual(lines);
  });

  it('is never wider than a terminal that has room for what is always shown', () => {
    for (let width = 28; width < 80; width++)
      for (const line of tableOf(columns, machines, width).split('\n'))
        expect(line.length, `${width}: ${line}`).toBeLessThanOrEqual(width);
  });
});
