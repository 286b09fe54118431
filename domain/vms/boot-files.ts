import type { Vm } from '../../schemas/vms/vm.js';
import type { VmFile } from '../../schemas/vms/vm-files.js';
import { imagesOf } from './disk-wishes.js';

/** Whether a VM is booted by it: its guest never finds it among its files. */
export const isOfBoot = ({ use }: Pick<VmFile, 'use'>): boolean => use !== 'CONTEXT';

/** What a VM is booted by; nothing: it boots from a disk or a network. Without a kernel nothing would read a RAM disk. */
export const bootFilesOf = (files: readonly VmFile[] = []): VmFile[] =>
  files.some(({ use }) => use === 'KERNEL') ? files.filter(isOfBoot) : [];

/** Images that a VM uses, each once: those of its disks, and those that it is booted by, without which it never starts again. */
export const imagesUsedBy = ({ disks, files }: Pick<Vm, 'disks' | 'files'>): number[] => [
  ...new Set([...imagesOf(disks), ...bootFilesOf(files).map(({ image }) => image.id)]),
];
