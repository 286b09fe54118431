import { z } from 'zod';
import { json } from '../../client/message.js';
import { ClusterResource } from '../../schemas/hosts/cluster.js';
import type { ShownPolicy } from '../../schemas/hosts/ha.js';
import { HostResource } from '../../schemas/hosts/host.js';
import { HaAction } from '../../schemas/operations/ha-action.js';
import { startOperation } from '../operations/start-operation.js';
import { type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { reportOperation } from '../shell/follow.js';
import { type Resource, report, resolve } from '../shell/resource.js';
import { fenceOption, methodsFor, methodText } from './fence-options.js';

type Hosts = Resource<typeof HostResource, typeof HostResource>;

/** `recreate after 3 missed polls, fenced by command:ipmi,node-1, then manual` */
export function policyText(ha: ShownPolicy | null): string | null {
  if (ha === null) return null;
  const stopped = ha.stopped ? ', with VMs that are off' : '';
  const alive = ha.alive === 'fence' ? ', even where its guests are seen to run' : '';
  return `${ha.action} after ${ha.polls} missed polls${stopped}${alive}, fenced by ${ha.fencing.map(methodText).join(', then ')}`;
}

/** What a policy says of everything but how hosts are turned off, as options. */
const policyOptions = {
  options: [
    ['--action <action>', `what becomes of its VMs: ${HaAction.options.join(', ')}`],
    ['--polls <number>', 'polls in a row that it has to miss; default: 3'],
    ['--stopped', 'VMs that are powered off are taken from it, too'],
    ['--restarts <number>', 'how often within an hour a VM is started again whose guest has crashed; default: 3'],
    ['--alive <what>', 'where its hypervisor is silent and its guests are seen to run: ask (default) or fence'],
  ] satisfies [string, string][],
  shape: {
    action: HaAction.optional(),
    polls: z.string().optional(),
    stopped: z.boolean().optional(),
    restarts: z.string().optional(),
    alive: z.enum(['ask', 'fence']).optional(),
    fence: z.array(z.string()).optional(),
    off: z.boolean().optional(),
  },
};
type PolicyOptions = z.infer<z.ZodObject<typeof policyOptions.shape>>;

/** Members that are given; throws where none is, and nothing else is said either. */
function changesOf({ action, polls, stopped, restarts, alive, fence }: PolicyOptions, saysElse: boolean) {
  const changes = {
    action,
    polls: polls === undefined ? undefined : Number(polls),
    stopped,
    restarts: restarts === undefined ? undefined : Number(restarts),
    alive,
  };
  const isEmpty = [...Object.values(changes), fence].every((one) => one === undefined);
  if (saysElse !== isEmpty)
    throw new Complaint(
      'usage',
      'Give what is to be done (--action, --polls, --stopped, --restarts, --alive, --fence), or that nothing is (--off).',
      { next: 'Add --help to see how it is used.' },
    );
  return changes;
}

/** What is done when one of its hosts fails. */
export const clusterHaLeaf = (clusters: Resource<typeof ClusterResource, typeof ClusterResource>): Leaf =>
  leaf({
    usage: 'ha <cluster>',
    summary: 'Say what is done when a host of a cluster fails that does not say itself',
    examples: [
      'arcus cluster ha production --action recreate --polls 3 --fence command:strip,rack-1 --fence manual',
      'arcus cluster ha production --off',
    ],
    options: [
      ...policyOptions.options,
      ['--fence <method...>', 'command:<program>[,<argument>…] or manual: BMCs are those of single hosts'],
      ['--off', 'nothing is done by itself any more'],
    ],
    schema: z.object(policyOptions.shape),
    run: async (context, [wish], options) => {
      const { fence, off = false } = options;
      const changes = changesOf(options, off);
      const id = await resolve(context.client(), clusters, wish);
      const fencing = fence && {
        fencing: await methodsFor(context, { fence, certificate: undefined, password: undefined }, []),
      };
      const body = json({ ha: off ? null : { ...changes, ...fencing } });
      const { value, raw } = await context.client().send('PATCH', `/clusters/${id}`, ClusterResource, body);
      const said = policyText(value.ha);
      report(
        context,
        `cluster ${id} (${value.name}): ${said ?? 'nothing is done by itself when its hosts fail'}.`,
        raw,
      );
    },
  });

/** What is done when a host fails, and what somebody does then. */
export const haLeaves = (hosts: Hosts): Leaf[] => [
  leaf({
    usage: 'ha <host>',
    summary: 'Say what is done when a host fails',
    examples: [
      'arcus host ha host-1 --action recreate --polls 3 --fence command:ipmi-off,bmc-1 --fence manual',
      'arcus host ha host-1 --action migrate --stopped',
      'arcus host ha host-1 --fence redfish:https://bmc-1.example.org,arcus --fence-certificate bmc-1.pem',
      'arcus host ha host-1 --as-cluster',
      'arcus host ha host-1 --off',
    ],
    options: [
      ...policyOptions.options,
      ['--fence <method...>', fenceOption],
      ['--fence-certificate <file>', 'of Redfish: the certificate of the BMC, or of who vouches for it'],
      ['--password', 'passwords of BMCs are asked for that the host has already; others always are'],
      ['--as-cluster', 'it has no policy of its own any more'],
      ['--off', 'nothing is done by itself, whatever its cluster says'],
    ],
    schema: z.object({
      ...policyOptions.shape,
      fenceCertificate: z.string().optional(),
      password: z.boolean().optional(),
      asCluster: z.boolean().optional(),
    }),
    run: async (context, [wish], options) => {
      const { fence, fenceCertificate: certificate, password, off = false, asCluster = false } = options;
      const changes = changesOf(options, off !== asCluster);
      const id = await resolve(context.client(), hosts, wish);
      const present = async () => (await context.client().get(`/hosts/${id}`, HostResource)).value.ha?.fencing;
      const fencing = fence && {
        fencing: await methodsFor(context, { fence, certificate, password }, (await present()) ?? []),
      };
      const ha = asCluster ? null : off ? { action: 'none' } : { ...changes, ...fencing };
      const { value, raw } = await context.client().send('PATCH', `/hosts/${id}`, HostResource, json({ ha }));
      const said = policyText(value.ha);
      const whose = value.ha_of === 'cluster' ? ', as its cluster says' : '';
      report(
        context,
        `host ${id} (${value.name}): ${said === null ? `nothing is done by itself when it fails${whose}.` : `${said}${whose}${rto(value)}.`}`,
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
    usage: 'fence-test <host>',
    summary: 'Turn a host that has no VMs off and on, which arms its policy',
    examples: ['arcus host fence-test host-1 --wait'],
    options: [['--wait', 'wait until the operation has ended']],
    schema: z.object({ wait: z.boolean().optional() }),
    run: async (context, [wish], { wait }) => {
      const id = await resolve(context.client(), hosts, wish);
      await reportOperation(context, await startOperation(context, 'POST', `/hosts/${id}/fence-test`), { wait });
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

/** `; expected recovery within 95 s` */
const rto = ({ id, armed, expected_recovery }: HostResource): string =>
  armed === false
    ? `; not armed, so that nothing begins by itself: arcus host fence-test ${id}`
    : expected_recovery === null
      ? ''
      : `; expected recovery within ${expected_recovery} s`;

/** Whether what its policy says begins by itself; null: it has none. */
export const armedText = ({ armed }: Pick<HostResource, 'armed'>): string | null =>
  armed === null ? null : armed ? 'armed' : 'not armed';

/** `passed at …`, or why it has not. */
export const testText = ({ fence_test: test }: Pick<HostResource, 'fence_test'>): string | null =>
  test && (test.passed ? `passed at ${test.at}` : `failed at ${test.at}: ${test.failed}`);
