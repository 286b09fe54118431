import { Obstacle } from '../processes/obstacle.js';
import { askLibvirt, hasKvm, usualUri } from '../sample/ask-libvirt.js';
import { kernelIn } from '../sample/guest-image.js';
import { strangersAt } from '../sample/guest-user.js';
import { type Missing, missingGuestPrograms, missingHostPrograms, missingLibvirtPrograms } from './missing-programs.js';

/** What keeps this machine from having guests of libvirt, or from driving hosts that have; a text: nothing does, and this is what is here. */
export async function libvirtHere(path: string): Promise<Missing | string> {
  const missing = missingLibvirtPrograms(path) ?? missingHostPrograms(path);
  if (missing !== null) return missing;
  const uri = usualUri();
  if ((await askLibvirt(uri, 'version')) === null)
    return {
      found: `${uri} does not answer: without, no guests run on this machine`,
      advice: 'as root: systemctl start libvirtd',
    };
  const strangers = await strangersAt(uri);
  if (strangers !== null && strangers !== 'silent') return strangers;
  if (await hasKvm(uri)) return `${uri} answers, with KVM`;
  return {
    found: `${uri} answers, and has no KVM: guests run slowly, by QEMU alone`,
    advice: 'switch virtualisation on in the firmware, and let this user use /dev/kvm: usermod -aG kvm USER',
  };
}

/** What keeps the sample's guest from being made of this machine; a text: nothing does. */
export function guestHere(path: string): Missing | string {
  const missing = missingGuestPrograms(path);
  if (missing !== null) return missing;
  try {
    return `can be made of kernel ${kernelIn('/')}`;
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    const [found = '', ...advice] = error.message.split(': ');
    return { found, advice: advice.join(': ') };
  }
}
