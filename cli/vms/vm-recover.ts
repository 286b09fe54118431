import { z } from 'zod';
import { json } from '../../client/message.js';
import { RecoverAction, type VmResource } from '../../schemas/vms/vm.js';
import { startOperation } from '../operations/start-operation.js';
import { type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { reportOperation } from '../shell/follow.js';
import { type Resource, resolve, resolveToEnd } from '../shell/resource.js';
import { answerAction, debuggingOf, debugSession } from './debug-session.js';

const ActionNumber = z.coerce.number({ error: 'must be the number of an action' }).int().min(1);

/** What brings a VM out of a state in which it hangs, at once or action by action. */
export const recoverLeaf = (vms: Resource<typeof VmResource, typeof VmResource>): Leaf =>
  leaf({
    usage: 'recover <vm>',
    summary: 'Bring a VM out of a state in which it hangs',
    examples: [
      'arcus vm recover 12 --retry',
      'arcus vm recover 12 --recreate --wait',
      'arcus vm recover 12 --retry --interactive',
    ],
    options: [
      ['--retry', 'do again what failed'],
      ['--interactive', 'with --retry: go through it action by action, as you answer'],
      ['--run <number>', 'with --retry: do this action of it alone'],
      ['--skip <number>', 'with --retry: leave this action of it out (ADMIN right)'],
      ['--delete', 'end the VM, its power cut'],
      ['--recreate', 'end it and deploy it anew'],
      ['--success', 'say that the step which hangs has succeeded (ADMIN right)'],
      ['--failure', 'say that it has failed (ADMIN right)'],
      ['--wait', 'wait until the operation has ended'],
    ],
    schema: z.object({
      ...{ retry: z.boolean().optional(), delete: z.boolean().optional(), recreate: z.boolean().optional() },
      ...{ success: z.boolean().optional(), failure: z.boolean().optional(), wait: z.boolean().optional() },
      ...{ interactive: z.boolean().optional(), run: ActionNumber.optional(), skip: ActionNumber.optional() },
    }),
    run: async (context, [wish], { wait, interactive, run, skip, ...wishes }) => {
      const [action, another] = RecoverAction.options.filter((option) => wishes[option] === true);
      if (action === undefined || another !== undefined)
        throw new Complaint('usage', 'Say one of --retry, --delete, --recreate, --success and --failure.', {
          next: 'Such as: arcus vm recover 12 --retry',
        });
      const number = run ?? skip;
      const ways = [interactive, run, skip].filter((way) => way !== undefined);
      if (ways.length > 1 || (ways.length > 0 && action !== 'retry'))
        throw new Complaint(
          'usage',
          'Of --interactive, --run and --skip one goes with --retry, and with nothing else.',
          {
            next: 'Such as: arcus vm recover 12 --retry --interactive',
          },
        );
      if (ways.length > 0) {
        const client = context.client();
        const id = await resolve(client, vms, wish);
        const talk = { client, say: context.out, err: context.err, ask: context.ask };
        if (number === undefined) return debugSession({ ...talk, program: 'arcus vm' }, id);
        const { session } = await debuggingOf(client, id);
        const step = { answer: run === undefined ? ('skip' as const) : ('run' as const), session, number };
        return reportOperation(context, await answerAction(talk, id, step), { wait });
      }
      const ends = action === 'delete' || action === 'recreate';
      const { id } = await (ends
        ? resolveToEnd(
            context,
            vms,
            wish,
            (vm) => `End ${vm}${action === 'recreate' ? ' and deploy it anew' : ' for good'}?`,
          )
        : { id: await resolve(context.client(), vms, wish) });
      const answer = await startOperation(context, 'POST', `/vms/${id}/recover`, json({ action }));
      await reportOperation(context, answer, { wait });
    },
  });
