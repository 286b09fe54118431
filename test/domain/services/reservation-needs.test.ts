import { expect, it } from 'vitest';
import { tooSmall } from '../../../domain/services/reservation-needs.js';

const own = (size: number) => [{ name: 'Own', id: 7, reserved: { from: 0, size, made: false } }];
const role = (name: string, cardinality: number, vm_template_contents = 'NIC=[NETWORK_ID="7"]') => ({
  ...{ name, cardinality, vm_template_contents },
});
const pointers = new Map([['Own', '/networks/Own']]);
const of = (size: number, ...roles: ReturnType<typeof role>[]) => tooSmall(own(size), roles, pointers);

it('a reservation has room for the VMs that roles begin with, each NIC counted', () => {
  expect(of(3, role('web', 2), role('db', 1))).toEqual([]);
  expect(of(2, role('web', 2), role('db', 1))).toEqual([
    {
      pointer: '/networks/Own',
      detail: 'reserves 2 addresses, and the VMs that roles web and db begin with need 3',
    },
  ]);
  const twice = 'NIC=[NETWORK_ID="7"] NIC=[NETWORK_ID=7]';
  expect(of(3, role('web', 2, twice)).map(({ detail }) => detail)).toEqual([
    'reserves 3 addresses, and the VMs that role web begins with need 4',
  ]);
});

it('other networks, and roles without VMs, need none of it', () => {
  expect(
    of(1, role('web', 9, 'NIC=[NETWORK_ID="8"]'), role('later', 0), role('one', 1), role('odd', 9, 'NIC=[')),
  ).toEqual([]);
  expect(tooSmall([{ name: 'Own', id: 7 }], [role('web', 9)], pointers)).toEqual([]);
});
