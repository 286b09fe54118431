import { Problem } from '../../domain/problems.js';
import type { Host, HypervisorKind } from '../../schemas/hosts/host.js';
import { targetOf } from './host-target.js';
import { libvirtScreens } from './libvirt/screens.js';
import type { Screen, ScreensOf } from './screen.js';

/** The screens of guests, on hosts as they are stored. */
export type Screens = { of(vm: { id: number; host: Host }, signal: AbortSignal): Promise<Screen> };

/** How those of each kind of hypervisor are found. null: its guests have none. */
const kinds: { [K in HypervisorKind]: ((installation: string) => ScreensOf<K>) | null } = {
  simulated: null,
  libvirt: libvirtScreens,
};

/** `installation`: whose domains they are. */
export function screens(installation: () => Promise<string>): Screens {
  let libvirt: ScreensOf<'libvirt'> | undefined;
  return {
    async of({ id, host }, signal) {
      const { vm_mad } = host;
      const make = kinds[vm_mad];
      if (vm_mad !== 'libvirt' || make === null)
        throw new Problem('not_implemented', `VM ${id}: guests of ${vm_mad} hosts have no screen.`);
      libvirt ??= libvirtScreens(await installation());
      return libvirt({ id, host: targetOf({ ...host, vm_mad }) }, signal);
    },
  };
}
