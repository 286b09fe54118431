import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { checkout } from '../../adapters/process/checkout.js';
import { pythonWith } from '../api/schemathesis/program.js';
import { eventually } from './processes.js';
import { bmcPassword, bmcUser } from './redfish.js';

const requirements = join(checkout, 'test', 'support', 'virtualbmc-requirements.txt');

/** IPMI knows twenty characters. */
export const ipmiPassword = bmcPassword.slice(0, 20);

/** What vbmcd starts for each domain, without what vbmc asks of vbmcd. */
const program = `
import sys
from virtualbmc.vbmc import VirtualBMC
user, password, port, domain, uri = sys.argv[1:]
bmc = VirtualBMC(user, password, int(port), "127.0.0.1", domain, uri)
print("listening", flush=True)
bmc.listen()
`;

/** OpenStack’s BMC of IPMI for a domain of a libvirt. */
export class VirtualBmc {
  private constructor(
    readonly port: number,
    readonly stop: () => Promise<void>,
  ) {}

  /** Fetched once, and kept beside the other fetched programs; what it speaks to libvirt by is the system's (python3-libvirt). */
  static async start(port: number, uri: string, domain: string): Promise<VirtualBmc> {
    const python = await pythonWith('virtualbmc', requirements, { interpreter: '/usr/bin/python3' });
    const child = spawn(python, ['-c', program, bmcUser, ipmiPassword, String(port), domain, uri], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
      });
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`virtualbmc has ended: ${said}`);
      return said.includes('listening');
    });
    return new VirtualBmc(port, async () => {
      process.off('exit', kill);
      if (child.exitCode === null && kill()) await once(child, 'exit');
    });
  }
}
