import type { Capacity } from '../../../schemas/common/capacity.js';

/** What the title of a domain of ours says: a list of titles is all that a look at a host asks for, however many domains there are. */
export type DomainMark = { installation: string; vm: number; epoch: number; capacity: Capacity };

const title =
  /^arcus (?<installation>[\w-]{1,64}) vm (?<vm>\d{1,15}) epoch (?<epoch>\d{1,15}) cpu (?<cpu>\d{1,15}) memory (?<memory>\d{1,15})$/;

export const titleOf = ({ installation, vm, epoch, capacity: { cpu, memory } }: DomainMark): string =>
  `arcus ${installation} vm ${vm} epoch ${epoch} cpu ${cpu} memory ${memory}`;

/** null: it is not of Arcus. */
export function markIn(text: string): DomainMark | null {
  const found = title.exec(text)?.groups;
  if (!found) return null;
  const { installation = '', vm, epoch, cpu, memory } = found;
  return {
    ...{ installation, vm: Number(vm), epoch: Number(epoch) },
    capacity: { cpu: Number(cpu), memory: Number(memory) },
  };
}
