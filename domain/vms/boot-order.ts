import { isAttributes } from './template-values.js';

type Device = { kind: 'disk' | 'nic'; id: number };

/** The devices that `OS/BOOT` names, in their order. */
export const bootDevices = (boot: string | undefined): Device[] =>
  [...(boot ?? '').matchAll(/(disk|nic)(\d{1,4})/g)].map(([, kind, id]) => ({
    kind: kind === 'nic' ? 'nic' : 'disk',
    id: Number(id),
  }));

/** Says of a VM that it is to boot from what it has not. `there`: the ids of what it has. */
export function bootFindings(os: unknown, there: Readonly<Record<Device['kind'], readonly number[]>>): string[] {
  const boot = [os].flat().find(isAttributes)?.BOOT;
  const missing = bootDevices(typeof boot === 'string' ? boot : undefined).filter(
    ({ kind, id }) => !there[kind].includes(id),
  );
  const has = (['disk', 'nic'] as const).flatMap((kind) => there[kind].map((id) => `${kind}${id}`));
  return missing.map(
    ({ kind, id }) => `OS/BOOT names ${kind}${id}, which is not there: the VM has ${has.join(', ') || 'neither'}`,
  );
}
