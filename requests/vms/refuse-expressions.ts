import { expressionFindings } from '../../domain/expressions/findings.js';
import { Problem } from '../../domain/problems.js';
import { contextFindings } from '../../domain/vms/guest-context.js';
import { machineFindings } from '../../domain/vms/machine.js';
import { templateDevices } from '../../domain/vms/template-devices.js';
import { fileWishes } from '../../domain/vms/vm-files.js';
import { scheduledIn } from '../../domain/vms/vm-schedules.js';

type Attributes = Readonly<Record<string, unknown>>;

/**
 * Refuses attributes whose SCHED_REQUIREMENTS, SCHED_RANK, SCHED_ACTION, CONTEXT, NIC, DISK, or what the machine is to be, cannot be read; `under`: where they are in the request.
 * `before`: what is there, and is not judged again.
 */
export function refuseUnreadable(attributes: Attributes, under: string, before: Attributes = {}): void {
  const changed = Object.fromEntries(Object.entries(attributes).filter(([name, value]) => value !== before[name]));
  const findings = expressionFindings(changed, under);
  const [first] = findings;
  if (first) throw new Problem('invalid_request', `An expression cannot be read: ${first.detail}.`, { findings });
  const wrong = scheduledIn(changed.SCHED_ACTION).findings;
  const [firstWrong] = wrong;
  if (firstWrong)
    throw new Problem('invalid_request', `What is to be done at its time cannot be read: ${firstWrong.detail}.`, {
      findings: wrong.map(({ pointer, detail }) => ({ pointer: `${under}${pointer}`, detail })),
    });
  const ofContext = [...contextFindings(changed.CONTEXT, attributes), ...fileWishes(changed).findings];
  const [firstOfContext] = ofContext;
  if (firstOfContext)
    throw new Problem('invalid_request', `What guests are told cannot be read: ${firstOfContext}.`, {
      findings: ofContext.map((detail) => ({ pointer: `${under}/${detail.split(' ')[0]}`, detail })),
    });
  const ofMachine = machineFindings(changed, attributes);
  const [firstOfMachine] = ofMachine;
  if (firstOfMachine)
    throw new Problem('invalid_request', `No machine can be made so: ${firstOfMachine}.`, {
      findings: ofMachine.map((detail) => ({ pointer: `${under}/${placeIn(changed, detail)}`, detail })),
    });
  const devices = templateDevices(changed).findings;
  const [firstOf] = devices;
  if (firstOf)
    throw new Problem('invalid_request', `NICs and disks cannot be made so: ${firstOf}.`, {
      findings: devices.map((detail) => ({ pointer: `${under}/${placeIn(changed, detail)}`, detail })),
    });
}

/** Where it is, as it stands before the first space: of one that is in no list, without its number. */
function placeIn(attributes: Attributes, detail: string): string {
  const [place = ''] = detail.split(' ');
  const [name = ''] = place.split('/');
  return Array.isArray(attributes[name]) ? place : place.replace('/0', '');
}
