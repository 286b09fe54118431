import type { Home } from '../home/home.js';
import { Obstacle } from '../processes/obstacle.js';
import type { Settings } from '../settings.js';
import { libvirtCloud } from './libvirt-cloud.js';
import { type SampleCloud, sampleOf, simulatedCloud } from './sample.js';

/**
 * On what the sample of this home is made, where it has yet to be; a home has one, and where that is, it stays. Throws an Obstacle where another is asked for, or where
 * what it takes is missing.
 */
export async function cloudFor(
  { sample, hypervisor, guests }: Settings,
  home: Home,
  say: (line: string) => void,
): Promise<SampleCloud> {
  const before = sampleOf(home.sample);
  const kind = hypervisor ?? before.hypervisor ?? 'simulated';
  if (hypervisor !== null && (!sample || (before.isMade && before.hypervisor === null)))
    throw new Obstacle(
      `there is no sample in ${home.directory} to be on ${hypervisor} hosts: choose another home with --home DIR`,
    );
  if (before.hypervisor !== null && before.hypervisor !== kind)
    throw new Obstacle(
      `the sample in ${home.directory} is on ${before.hypervisor} hosts: choose another home with --home DIR`,
    );
  if (before.isMade && Object.values(guests).some((one) => one !== undefined))
    say(
      `the sample in ${home.directory} is made: what guests are to be is not looked at any more; for others choose another home with --home DIR`,
    );
  return kind === 'simulated' || before.isMade || !sample
    ? { ...simulatedCloud, hypervisor: kind }
    : libvirtCloud(guests, home.guest, say);
}
