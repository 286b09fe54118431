import type { z } from 'zod';
import { counted } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import { OperationDetail } from '../../schemas/operations/operation-resource.js';
import { ServiceResource, ServiceSummary } from '../../schemas/services/service.js';
import { VmResource } from '../../schemas/vms/vm.js';
import { progressLine } from '../operations/operation-progress.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { drawLive } from '../shell/live.js';
import { ageOf, tableOf } from '../shell/output.js';
import { stateText } from '../shell/state-colour.js';
import { serviceText } from './service-text.js';

/** Milliseconds between two looks. */
const pause = 2000;
/** Operations whose progress is asked for at each look: what is beyond is named, not counted. */
const mostOperations = 20;

type Looking = { signal?: AbortSignal };
type Service = z.infer<typeof ServiceSummary>;
type Node = z.infer<typeof Node>;

/** What is told of a VM here. */
const Node = VmResource.pick({ id: true, name: true, lcm_state: true, service_id: true, host: true });

/** Services with what runs of them and where: live on a terminal, else as they are now. */
export async function top(context: Context): Promise<void> {
  const { screen } = context;
  if (screen)
    await drawLive(context, screen, { title: 'arcus service top', pause }, (signal) => seen(context, { signal }));
  else context.out(await seen(context, {}));
}

/** One service as `service show` has it, with what its VMs use. */
export async function topOf(context: Context, id: number): Promise<void> {
  const { screen } = context;
  const look = async (looking: Looking): Promise<string> => {
    const { value } = await context.client().get(`/services/${id}?monitoring=true`, ServiceResource, looking);
    return serviceText(value, context);
  };
  if (screen)
    await drawLive(context, screen, { title: `arcus service top ${id}`, pause }, (signal) => look({ signal }));
  else context.out(await look({}));
}

async function seen(context: Context, looking: Looking): Promise<string> {
  const client = context.client();
  const [services, vms] = await Promise.all([
    client.list('/services', ServiceSummary, { query: { filter: 'state!=DONE' }, ...looking }),
    client.list('/vms', Node, {
      query: { filter: 'service_id!=null', fields: 'id,name,lcm_state,service_id,host' },
      ...looking,
    }),
  ]);
  const values = services.map(({ value }) => value);
  const nodes = new Map<number | null, Node[]>();
  for (const { value } of vms) nodes.set(value.service_id, [...(nodes.get(value.service_id) ?? []), value]);
  const busy = values.flatMap(({ operation }) => (operation === null ? [] : [operation])).slice(0, mostOperations);
  const progress = new Map(
    await Promise.all(busy.map(async (id) => [id, await standing(context, id, looking)] as const)),
  );
  return table(context, values, (id) => nodes.get(id) ?? [], progress);
}

function table(
  { now, width }: Context,
  services: readonly Service[],
  nodesOf: (service: number) => readonly Node[],
  progress: ReadonlyMap<string, string>,
): string {
  const runningOf = (id: number) => nodesOf(id).filter(({ lcm_state }) => lcm_state === 'RUNNING').length;
  const wantedOf = ({ roles }: Service) => roles.reduce((sum, { cardinality }) => sum + cardinality, 0);
  const all = services.flatMap(({ id }) => nodesOf(id));
  const running = services.reduce((sum, { id }) => sum + runningOf(id), 0);
  const wanted = services.reduce((sum, service) => sum + wantedOf(service), 0);
  const summary = `${counted(services.length, kinds.service)} · ${running} of ${wanted} VMs run · on ${counted(Object.keys(spreadOf(all)).length, kinds.host)}`;
  const rows = tableOf(
    [
      { title: 'ID', text: ({ id }) => String(id), right: true },
      { title: 'NAME', text: ({ name }) => name, cut: true },
      { title: 'STATE', text: ({ state }) => state, colour: stateText },
      { title: 'VMS', text: (service) => `${runningOf(service.id)}/${wantedOf(service)}`, right: true },
      { title: 'HOSTS', text: ({ id }) => spreadText(nodesOf(id), width()), cut: true },
      { title: 'AGE', text: ({ created_at, ended_at }) => ageOf(created_at, ended_at, now()), right: true },
      {
        title: 'OPERATION',
        text: ({ operation }) => (operation && (progress.get(operation) ?? operation)) ?? '-',
        cut: true,
      },
    ],
    services,
    width(),
  );
  return `${summary}\n${rows}`;
}

/** VMs by host. */
function spreadOf(nodes: readonly Node[]): Record<string, number> {
  const spread: Record<string, number> = {};
  for (const { host } of nodes) if (host) spread[host.name] = (spread[host.name] ?? 0) + 1;
  return spread;
}

/** `host-1:3 host-2:2`, the fullest first; on a terminal no more than three by name. */
function spreadText(nodes: readonly Node[], width: number | null): string {
  const hosts = Object.entries(spreadOf(nodes)).sort(([, one], [, other]) => other - one);
  const shown = width === null ? hosts : hosts.slice(0, 3);
  const rest = hosts.length - shown.length;
  const text = shown.map(([name, vms]) => `${name}:${vms}`).join(' ');
  return hosts.length === 0 ? '-' : `${text}${rest > 0 ? ` +${rest}` : ''}`;
}

/** Where an operation stands, without what the row says already. */
async function standing(context: Context, id: string, looking: Looking): Promise<string> {
  try {
    const { value } = await context.client().get(`/operations/${id}`, OperationDetail, looking);
    return `${value.type}: ${progressLine(value, context.now()).split(': ').slice(1).join(': ')}`;
  } catch (error) {
    // It may have been removed since the list was read.
    if (error instanceof Complaint && error.exit === 'not_found') return id;
    throw error;
  }
}
