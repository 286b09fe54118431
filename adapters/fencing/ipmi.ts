import { execa } from 'execa';
import { Problem } from '../../domain/problems.js';
import type { FencingMethod } from '../../schemas/hosts/fencing.js';
import { saidBy } from './said.js';
import type { Switch } from './switched.js';

export type IpmiAccess = Omit<Extract<FencingMethod, { kind: 'ipmi' }>, 'password'> & { password: string };

/** Bytes of what ipmitool says that are read. */
const most = 65_536;

/** A BMC by IPMI 2.0. ipmitool has the password in its environment, which nobody but its user can read. */
export function ipmi({ address, port, user, password }: IpmiAccess): Switch {
  async function power(verb: 'status' | 'off' | 'on', signal: AbortSignal): Promise<string> {
    const words = [
      '-I',
      'lanplus',
      '-H',
      address,
      '-p',
      String(port),
      '-U',
      user,
      '-E',
      '-L',
      'OPERATOR',
      'chassis',
      'power',
      verb,
    ];
    const { code, exitCode, stdout, stderr } = await execa('ipmitool', words, {
      ...{ env: { PATH: process.env.PATH, LC_ALL: 'C', IPMI_PASSWORD: password }, extendEnv: false, reject: false },
      ...{ cancelSignal: AbortSignal.any([signal]), forceKillAfterDelay: 1_000, maxBuffer: most, stdin: 'ignore' },
    });
    signal.throwIfAborted();
    if (code === 'ENOENT')
      throw new Problem(
        'not_fenced',
        'ipmitool is not installed on the machine of this worker. On Debian: apt-get install ipmitool',
      );
    if (exitCode === 0) return stdout;
    throw new Problem('not_fenced', saidBy(`${stderr} ${stdout}`, [password]) || `ipmitool ended with ${exitCode}`);
  }

  return {
    name: `ipmi at ${address}`,
    async read(signal) {
      const said = await power('status', signal);
      const [, now] = /^Chassis Power is (on|off)$/m.exec(said) ?? [];
      if (now === 'on' || now === 'off') return now;
      throw new Problem('not_fenced', `what it says of its power is not understood: ${saidBy(said, [password])}`);
    },
    ask: async (wanted, signal) => void (await power(wanted, signal)),
  };
}
