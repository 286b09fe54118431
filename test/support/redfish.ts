import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from '../../adapters/process/checkout.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { pythonWith } from '../api/schemathesis/program.js';
import { eventually } from './processes.js';

const requirements = join(checkout, 'test', 'support', 'sushy-requirements.txt');

export const bmcUser = 'arcus';
export const bmcPassword = 'aGoodPassword-of-a-BMC';
/** The same as htpasswd -B writes it. */
const htpasswd = `${bmcUser}:$2b$04$qaATwJfurxb5acrz4YxkZOXyCcbymXwI3aQlI5VEqC9GiL2eRbG6.\n`;

type System = { uuid: string; name: string; power_state: 'On' | 'Off' };
type Wish = { systems: readonly System[]; tls?: { certificate: string; key: string }; notify?: string };

/** OpenStack’s emulator of Redfish BMCs, whose systems need some seconds to go off and on, as real ones do. */
export class SushyEmulator {
  private constructor(
    readonly url: string,
    readonly stop: () => Promise<void>,
    readonly log: () => string,
  ) {}

  /** Fetched once, and kept beside the other fetched programs. `notify`: is told of each change, by PUT of the system. */
  static async start({ systems, tls, notify }: Wish): Promise<SushyEmulator> {
    const python = await pythonWith('sushy', requirements);
    const directory = mkdtempSync(join(tmpdir(), 'arcus-sushy-'));
    const users = join(directory, 'users');
    writeFileSync(users, htpasswd);
    const settings = {
      SUSHY_EMULATOR_STATE_DIR: directory,
      SUSHY_EMULATOR_AUTH_FILE: users,
      SUSHY_EMULATOR_FAKE_SYSTEMS: systems.map((system) => ({
        ...system,
        nics: [],
        external_notifier: notify ? 1 : 0,
      })),
      EXTERNAL_NOTIFICATION_URL: notify ?? '',
      ...(tls && { SUSHY_EMULATOR_SSL_CERT: tls.certificate, SUSHY_EMULATOR_SSL_KEY: tls.key }),
    };
    const file = join(directory, 'settings.py');
    // JSON of texts and numbers is Python, too.
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
    writeFileSync(file, lines.join(''));
    const port = await choosePort();
    const args = ['--fake', '--interface', '127.0.0.1', '--port', String(port), '--config', file];
    const child = spawn(python, ['-m', 'sushy_tools.emulator.main', ...args], {
      ...{ cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] },
    });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
      });
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`sushy-emulator has ended: ${said}`);
      return said.includes('Running on');
    });
    const stop = async () => {
      process.off('exit', kill);
      if (child.exitCode === null && kill()) await once(child, 'exit');
      rmSync(directory, { recursive: true, force: true });
    };
    return new SushyEmulator(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`, stop, () => said);
  }
}
