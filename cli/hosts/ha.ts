import { z } from 'zod';
import { json } from '../../client/message.js';
import type { FencingMethod, HaPolicy } from '../../schemas/hosts/ha.js';
import { HostResource } from '../../schemas/hosts/host.js';
import { HaAction } from '../../schemas/operations/ha-action.js';
import { startOperation } from '../operations/start-operation.js';
import { type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { reportOperation } from '../shell/follow.js';
import { type Resource, report, resolve } from '../shell/resource.js';

type Hosts = Resource<typeof HostResource, typeof HostResource>;

/** `manual`, or `command:program[,argument…]` */
function methodOf(text: string): Omit<FencingMethod, 'timeout'> | object {
  if (text === 'manual') return { kind: 'manual' };
  const [, given] = text.match(/^command:(.+)$/) ?? [];
  if (given === undefined)
    throw new Complaint('usage', `--fence ${text} is no way to turn a host off.`, {
      next: 'Give manual, or command:<program>[,<argument>…].',
    });
  const [program, ...rest] = given.split(',');
  return { kind: 'command', program, arguments: rest };
}

const methodText = (method: FencingMethod): string =>
  method.kind === 'manual' ? 'manual' : `command:${[method.program, ...method.arguments].join(',')}`;

/** `recreate after 3 missed polls, fenced by command:ipmi,node-1, then manual` */
export function policyText(ha: HaPolicy | null): string | null {
  if (ha === null) return null;
  const stopped = ha.stopped ? ', with VMs that are off' : '';
  const alive = ha.alive === 'fence' ? ', even where its guests are seen to run' : '';
  return `${ha.action} after ${ha.polls} missed polls${stopped}${alive}, fenced by ${ha.fencing.map(methodText).join(', then ')}`;
}

/** What is done when a host fails, and what somebody does then. */
export const haLeaves = (hosts: Hosts): Leaf[] => [
  leaf({
    usage: 'ha <host>',
    summary: 'Say what is done when a host fails',
    examples: [
      'arcus host ha host-1 --action recreate --polls 3 --fence command:ipmi-off,bmc-1 --fence manual',
      'arcus host ha host-1 --action migrate --stopped',
      'arcus host ha host-1 --off',
    ],
    options: [
      ['--action <action>', `what becomes of its VMs: ${HaAction.options.join(', ')}`],
      ['--polls <number>', 'polls in a row that it has to miss; default: 3'],
      ['--stopped', 'VMs that are powered off are taken from it, too'],
      ['--restarts <number>', 'how often within an hour a VM is started again whose guest has crashed; default: 3'],
      ['--alive <what>', 'where its hypervisor is silent and its guests are seen to run: ask (default) or fence'],
      ['--fence <method...>', 'how it is turned off, one after the other: manual, or command:<program>[,<argument>…]'],
      ['--off', 'nothing is done by itself any more'],
    ],
    schema: z.object({
      action: HaAction.optional(),
      polls: z.string().optional(),
      stopped: z.boolean().optional(),
      restarts: z.string().optional(),
      alive: z.enum(['ask', 'fence']).optional(),
      fence: z.array(z.string()).optional(),
      off: z.boolean().optional(),
    }),
    run: async (context, [wish], { action, polls, stopped, restarts, alive, fence, off }) => {
      const changes = {
        action,
        polls: polls === undefined ? undefined : Number(polls),
        stopped,
        restarts: restarts === undefined ? undefined : Number(restarts),
        alive,
        fencing: fence?.map(methodOf),
      };
      const isEmpty = Object.values(changes).every((one) => one === undefined);
      if (off === isEmpty || (off !== true && isEmpty))
        throw new Complaint(
          'usage',
          'Give what is to be done (--action, --polls, --stopped, --restarts, --alive, --fence), or --off.',
          {
            next: 'Add --help to see how it is used.',
          },
        );
      const id = await resolve(context.client(), hosts, wish);
      const { value, raw } = await context
        .client()
        .send('PATCH', `/hosts/${id}`, HostResource, json({ ha: off ? null : changes }));
      const said = policyText(value.ha);
      report(
        context,
        `host ${id} (${value.name}): ${said === null ? 'nothing is done by itself when it fails.' : `${said}${rto(value)}.`}`,
        raw,
      );
    },
  }),
  leaf({
    usage: 'failover <host>',
    summary: 'Recover the VMs of a host that does not answer on others',
    examples: ['arcus host failover host-1 --wait', 'arcus host failover host-1 --action migrate'],
    options: [
      ['--action <action>', `what becomes of its VMs: ${HaAction.options.join(', ')}; default: as its policy says`],
      ['--stopped', 'VMs that are powered off are taken from it, too'],
      ['--wait', 'wait until the operation has ended'],
    ],
    schema: z.object({ action: HaAction.optional(), stopped: z.boolean().optional(), wait: z.boolean().optional() }),
    run: async (context, [wish], { wait, ...body }) => {
      const id = await resolve(context.client(), hosts, wish);
      const started = await startOperation(context, 'POST', `/hosts/${id}/failover`, json(body));
      await reportOperation(context, started, { wait });
    },
  }),
  leaf({
    usage: 'fenced <host>',
    summary: 'Say that a host that does not answer is off, and nothing runs there',
    examples: ['arcus host fenced host-1'],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const id = await resolve(context.client(), hosts, wish);
      const { value, raw } = await context.client().send('POST', `/hosts/${id}/fenced`, HostResource);
      report(context, `host ${id} (${value.name}) is off: what waited for that goes on.`, raw);
    },
  }),
];

/** `; expected recovery 95 s` */
const rto = ({ expected_recovery }: HostResource): string =>
  expected_recovery === null ? '' : `; expected recovery within ${expected_recovery} s`;
