import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, renameSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { checkout } from '../../adapters/process/checkout.js';
import { Obstacle, reasonOf } from '../processes/obstacle.js';

const otherwise = 'or give a disk image with --guest-image FILE';

/** The version of a kernel below a root that has its modules beside it: the one that runs, where it is there. Throws an Obstacle where none can be used. */
export function kernelIn(root: string): string {
  const begin = 'vmlinuz-';
  const names = existsSync(join(root, 'boot')) ? readdirSync(join(root, 'boot')) : [];
  const versions = names.filter((name) => name.startsWith(begin)).map((name) => name.slice(begin.length));
  const usable = versions.filter((version) => existsSync(join(root, 'lib/modules', version))).sort();
  const version = usable.find((one) => one === release()) ?? usable.at(-1);
  if (version === undefined)
    throw new Obstacle(
      `there is no kernel with its modules in ${join(root, 'boot')} and ${join(root, 'lib/modules')} to make a guest of: on Debian: apt-get install linux-image-cloud-amd64, ${otherwise}`,
    );
  const file = join(root, 'boot', `${begin}${version}`);
  try {
    accessSync(file, constants.R_OK);
  } catch {
    throw new Obstacle(
      `this user may not read ${file}, of which the guest is made: chmod a+r it as root, ${otherwise}`,
    );
  }
  return version;
}

/** Makes a disk that boots in seconds, of the kernel below a root and of busybox. It says on its serial console what it does. */
export function buildGuest(root: string, file: string): void {
  const script = join(checkout, 'runtime/sample/guest/build.sh');
  const part = `${file}.part`;
  try {
    execFileSync('sh', [script, root, kernelIn(root), part], { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    if (error instanceof Obstacle) throw error;
    throw new Obstacle(`no guest is made of this machine's kernel: ${reasonOf(error)}; ${otherwise}`);
  }
  renameSync(part, file);
}
