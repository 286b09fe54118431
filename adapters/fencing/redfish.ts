import { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import type { Power } from './port.js';
import { askRedfish, type RedfishAccess } from './redfish-request.js';
import type { Switch } from './switched.js';

const Systems = z.object({ Members: z.array(z.object({ '@odata.id': z.string() })) });
const System = z.object({
  PowerState: z.string().nullish(),
  Actions: z
    .object({
      '#ComputerSystem.Reset': z
        .object({
          target: z.string(),
          'ResetType@Redfish.AllowableValues': z.array(z.string()).optional(),
        })
        .optional(),
    })
    .optional(),
});
const Anything = z.unknown();

const root = '/redfish/v1/Systems';
/** What says that it has power, or none; on the way from one to the other it says so. What is paused keeps its memory. */
const powers: Readonly<Record<string, Power>> = { On: 'on', Paused: 'on', Off: 'off' };
/** The first of these that a BMC knows. None asks a system to shut down: one that hangs would not. */
const resets = { off: ['ForceOff'], on: ['On', 'ForceOn'] } as const;

/** A ComputerSystem (DMTF DSP0266), asked with each request as who it is: no session is left behind. */
export function redfish(access: RedfishAccess): Switch {
  /** Several might be those of other hosts: which one it is has to be said then. */
  async function pathOf(signal: AbortSignal): Promise<string> {
    const { system } = access;
    if (system !== undefined) return system.startsWith('/') ? system : `${root}/${system}`;
    const { Members } = await askRedfish(access, { method: 'GET', path: root }, Systems, signal);
    const [only, ...more] = Members;
    if (only && more.length === 0) return only['@odata.id'];
    throw new Problem('not_fenced', `it has ${Members.length} systems: say which one the host is`);
  }
  const look = async (signal: AbortSignal) =>
    askRedfish(access, { method: 'GET', path: await pathOf(signal) }, System, signal);

  return {
    name: `redfish at ${access.address}`,
    async read(signal) {
      const { PowerState } = await look(signal);
      if (PowerState) return powers[PowerState] ?? null;
      throw new Problem('not_fenced', 'it does not say whether the system has power');
    },
    async ask(power, signal) {
      const reset = (await look(signal)).Actions?.['#ComputerSystem.Reset'];
      if (!reset) throw new Problem('not_fenced', 'it does not offer to reset the system');
      const known = reset['ResetType@Redfish.AllowableValues'];
      const ResetType = resets[power].find((one) => !known || known.includes(one));
      if (!ResetType) throw new Problem('not_fenced', `it knows no reset ${resets[power].join(' or ')}`);
      await askRedfish(access, { method: 'POST', path: reset.target, body: { ResetType } }, Anything, signal);
    },
  };
}
