import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { ActionArgs, Performed } from '../../schemas/operations/vm-action.js';
import { portionsOf } from '../portions.js';
import { clauses } from '../words.js';

type Input = OperationInputs['performOnRole'];
type Done = Readonly<Record<string, Performed>>;

/** What is left of an action: after so many milliseconds the first slice, then the others, each its period after the one before. */
export type SlicesLeft = { wait: number; slices: number[][] };

/** What an action is told beside its name, of whatever it stands in. */
export const argsOf = ({ name, snapshot, disk }: ActionArgs): ActionArgs => ({
  ...(name !== undefined && { name }),
  ...(snapshot !== undefined && { snapshot }),
  ...(disk !== undefined && { disk }),
});

/** Refusals that are said in full. */
const told = 3;

/** Of VMs in slices, those slices of which some were not yet asked, with those alone. Where the cuts are does not change. */
export function slicesLeft({ vms, number, period }: Input, done: Done, now: Date): SlicesLeft {
  const slices = portionsOf(vms, number ?? Math.max(vms.length, 1));
  const first = slices.findIndex((slice) => slice.some((vm) => !done[vm]));
  if (first < 0) return { wait: 0, slices: [] };
  const isBegun = slices[first]?.some((vm) => done[vm]) ?? false;
  const before = isBegun ? [] : (slices[first - 1] ?? []).flatMap((vm) => done[vm]?.at.getTime() ?? []);
  const due = before.length === 0 ? 0 : Math.max(...before) + period * 1_000;
  return {
    wait: Math.max(0, due - now.getTime()),
    slices: slices.slice(first).map((slice) => slice.filter((vm) => !done[vm])),
  };
}

/** Why an action has failed that has come to all its VMs: some refused it. null: none did. */
export function whyRefused({ vms, action }: Input, done: Done): string | null {
  const refused = vms.flatMap((vm) =>
    done[vm]?.outcome === 'refused' ? [`VM ${vm}: ${done[vm].why ?? 'refused'}`] : [],
  );
  if (refused.length === 0) return null;
  const more = refused.length > told ? [`${refused.length - told} more`] : [];
  return `${refused.length} of ${vms.length} VMs refused ${action}: ${clauses([...refused.slice(0, told), ...more])}`;
}
