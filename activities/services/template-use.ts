import type { Problem } from '../../domain/problems.js';
import { type Maker, mayMakeVmsOf, noneIsMadeOf } from '../../domain/services/template-use.js';
import type { Person } from '../../schemas/operations/operation.js';
import type { VmTemplate } from '../../schemas/vms/vm-template.js';
import { seenUser } from '../../store/identity/seen-user.js';
import type { StepPorts } from '../ports.js';

/**
 * VM templates that are not for whoever has asked for an operation, with why. Most belong to whoever asks: only of others is
 * it looked up what groups and rules let that one do.
 */
export async function notForAsker(
  { directory }: Pick<StepPorts, 'directory'>,
  requester: Person | undefined,
  templates: readonly VmTemplate[],
): Promise<Map<number, Problem>> {
  const id = requester?.id ?? nobody;
  const alone: Maker = { id, groups: [], rules: [] };
  const others = templates.filter((template) => !mayMakeVmsOf(alone, template));
  if (others.length === 0) return new Map();
  const maker: Maker = (await seenUser(directory, id))?.caller ?? alone;
  return new Map(
    others.flatMap((template) =>
      mayMakeVmsOf(maker, template) ? [] : [[template._id, noneIsMadeOf(template._id, requester?.name)]],
    ),
  );
}

const nobody = -1;
