import { inSlices } from '../../adapters/process/in-slices.js';
import { isArmed } from '../../domain/failover/armed.js';
import { expectedRecovery } from '../../domain/failover/due.js';
import { lostVm, rolesBeforeOf } from '../../domain/failover/lost-vm.js';
import { simulating, type WhatIf, type WhatIfAnswer, type WhatIfOutcome } from '../../domain/failover/what-if.js';
import { clusterText, failureText, type WhatIfCounts } from '../../domain/failover/what-if-text.js';
import type { Caller } from '../../domain/identity/caller.js';
import type { HostSnapshot } from '../../domain/placement/placement.js';
import type { DescribedDatastore } from '../../domain/storage/datastore-attributes.js';
import { defaultCluster } from '../../schemas/hosts/cluster.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { ClusterWhatIf, HostWhatIf, WhatIfQuery } from '../../schemas/hosts/what-if.js';
import { authorised } from '../authorise.js';
import type { OperationsContext, RequestsContext } from '../context.js';

/** What the failure of a host would come to now. Nothing is done of it. */
export async function showHostWhatIf(
  context: RequestsContext,
  caller: Caller,
  id: number,
  query: WhatIfQuery,
): Promise<HostWhatIf> {
  const { store, takeTurns } = context;
  const host = authorised(caller, 'host', await store.hosts.find(id), 'admin', id);
  return takeTurns([String(caller.id)], async () => {
    const around = await surroundings(context);
    const wish = wishFor(host, query);
    const { answers, names } = await simulated(context, host, wish, around);
    const counts = countsOf(answers);
    const hostNames = new Map(around.hosts.map((one) => [one.id, one.name]));
    return {
      host: { id, name: host.name },
      ...wish,
      text: failureText(host.name, counts),
      ...counts,
      vms: answers.map(({ vm, outcome, host: at, why }) => ({
        ...{ id: vm, name: names.get(vm) ?? `VM ${vm}`, outcome, why },
        host: at === null ? null : { id: at, name: hostNames.get(at) ?? `host ${at}` },
      })),
    };
  });
}

/** Whether a cluster can do without any one of its hosts: each is thought to fail by itself. */
export async function showClusterWhatIf(context: RequestsContext, caller: Caller, id: number): Promise<ClusterWhatIf> {
  const { store, settings, takeTurns } = context;
  const cluster = authorised(caller, 'cluster', await store.clusters.find(id), 'admin', id);
  return takeTurns([String(caller.id)], async () => {
    const around = await surroundings(context);
    const all = await store.hosts.all();
    const hosts: ClusterWhatIf['hosts'] = [];
    for (const host of all) {
      if ((host.cluster_id ?? defaultCluster) !== id) continue;
      const { answers } = await simulated(context, host, wishFor(host, {}), around);
      const { _id, name, state, missed = 0, ha, operation = null } = host;
      const policy = ha?.action ?? null;
      const recovery = { policy, armed: isArmed(host), expected_recovery: expectedRecovery(host, settings) };
      hosts.push({ id: _id, name, state, missed, ...recovery, operation, ...countsOf(answers) });
    }
    const survives = hosts.every(({ waits }) => waits === 0);
    return { cluster: { id, name: cluster.name }, text: clusterText(cluster.name, hosts), survives, hosts };
  });
}

const wishFor = ({ ha }: Pick<Host, 'ha'>, { action, stopped }: WhatIfQuery) => ({
  action: action ?? ha?.action ?? ('recreate' as const),
  stopped: stopped ?? ha?.stopped ?? false,
});

type Around = { hosts: readonly HostSnapshot[]; datastores: readonly DescribedDatastore[] };

async function surroundings({ store }: OperationsContext): Promise<Around> {
  const [hosts, datastores] = await Promise.all([store.hosts.snapshot(), store.vmDatastores.snapshot()]);
  return { hosts, datastores };
}

async function simulated(
  { store }: OperationsContext,
  { _id: host }: Pick<Host, '_id'>,
  wish: Pick<WhatIf, 'action' | 'stopped'>,
  around: Around,
): Promise<{ answers: WhatIfAnswer[]; names: ReadonlyMap<number, string> }> {
  const vms = await store.failovers.vmsOn(host, []);
  const services = [...new Set(vms.flatMap(({ service }) => service?.id ?? []))];
  const [ordered, siblings] = await Promise.all([
    services.length === 0 ? [] : store.failovers.rolesOf(services),
    store.vms.siblings(services),
  ]);
  const before = rolesBeforeOf(ordered);
  const its = vms.map((vm) => ({ vm, lost: lostVm(vm, host, null, before(vm)) }));
  const answers = await inSlices(simulating({ host, ...wish, vms: its, siblings, ...around }));
  return { answers, names: new Map(vms.map(({ _id, name }) => [_id, name])) };
}

function countsOf(answers: readonly WhatIfAnswer[]): WhatIfCounts {
  const counts: Record<WhatIfOutcome, number> = { starts: 0, waits: 0, ends: 0, undeployed: 0, stays: 0 };
  for (const { outcome } of answers) counts[outcome] += 1;
  return counts;
}
