import { expect, it } from 'vitest';
import { amountOf } from '../../../schemas/common/limits.js';

it.each([
  [999, 'roles', '999 roles'],
  [1_000, 'roles', '1,000 roles'],
  [1_234_567, 'VMs', '1,234,567 VMs'],
  [65_536, 'bytes', '64 KiB'],
  [65_537, 'bytes', '65,537 bytes'],
  [2 ** 21, 'bytes', '2 MiB'],
] as const)('%d %s are said as %s', (count, unit, said) => expect(amountOf(count, unit)).toBe(said));
