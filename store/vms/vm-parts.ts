import { mongo } from 'mongoose';
import { limits } from '../../schemas/common/limits.js';
import type { Vm } from '../../schemas/vms/vm.js';

/** New VMs that are written together, at most. */
const most = 500;

/** In parts that are written one after the other, none of which is large; VMs of a role are as good as alike in size. */
export function* inParts(documents: readonly Vm[]): Generator<Vm[]> {
  let [part, bytes]: [Vm[], number] = [[], 0];
  let [role, each]: [string | undefined, number] = [undefined, 0];
  for (const vm of documents) {
    if (each === 0 || vm.service?.role !== role) each = mongo.BSON.calculateObjectSize(vm);
    role = vm.service?.role;
    if (part.length === most || (part.length > 0 && bytes + each > limits.writeBytes.most)) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(vm);
    bytes += each;
  }
  if (part.length > 0) yield part;
}
