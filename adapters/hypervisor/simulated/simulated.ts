import { setMaxListeners } from 'node:events';
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import type { z } from 'zod';
import { Problem, type ProblemCode } from '../../../domain/problems.js';
import { type DeviceCall, type VmCall, vmCalls } from '../../../domain/vms/vm-verbs.js';
import { limits } from '../../../schemas/common/limits.js';
import { eachMetric } from '../../../schemas/hosts/metrics.js';
import {
  AdoptAnswer,
  type AdoptCall,
  type ChangeCall,
  DeployAnswer,
  type DeployCall,
  DestroyAnswer,
  type DestroyCall,
  type MoveCall,
  ProbeAnswer,
  type ProbeCall,
  RefusalBody,
  type SimulatedDomain,
  SwitchAnswer,
  type SwitchCall,
  simulatedStorage,
} from '../../../schemas/hosts/simulator.js';
import { ownName } from '../own-name.js';
import type { DeviceTarget, HostReport, HostTarget, Hypervisor, MoveTarget, SwitchTarget } from '../port.js';

type Method = 'probe' | VmCall;

/** Which problem a refusal is that trying again cannot mend. A probe is never refused but by a simulator of another version. */
const refusalOf = (method: Method): ProblemCode =>
  method === 'probe' ? 'backend_unavailable' : vmCalls[method].refused;

/** What is kept away from hosts is on one of its own, which runs nothing. */
export const storage: HostTarget<'simulated'> = {
  ...{ name: simulatedStorage, vm_mad: 'simulated' },
  connection: { total: { cpu: 0, memory: 0 } },
};

/** Where `arcus-sim` serves, and the token that it asks for. */
export type SimulatorAddress = { url: string; token: string | undefined };

/** The hypervisor that `arcus-sim` serves at this address, for one installation. Its hosts come into being by being named. */
export function simulatedHypervisor(simulator: SimulatorAddress, installation: string): Hypervisor<'simulated'> {
  const switchOf = ({ id, domain, epoch, host }: SwitchTarget<'simulated'>): SwitchCall => ({
    ...{ installation, vm: id, domain: ownName(domain, installation), epoch },
    host: host.connection.total,
  });
  const moveOf = (vm: MoveTarget<'simulated'>): MoveCall => ({
    ...switchOf(vm),
    to: { name: vm.to.name, ...vm.to.connection.total },
  });
  const kept = async (vm: MoveTarget<'simulated'>, signal: AbortSignal): Promise<void> => {
    const { outcome } = await call(
      simulator,
      vm.host,
      'move',
      moveOf(vm),
      SwitchAnswer,
      signal,
      moving(vm),
      `${vm.host.name} or ${vm.to.name}`,
    );
    if (outcome === 'absent') throw new Problem('action_refused', nothingSaved(vm));
  };
  const changed = async (name: DeviceCall, vm: DeviceTarget<'simulated'>, signal: AbortSignal): Promise<void> => {
    const body: ChangeCall = { ...switchOf(vm), change: vm.change };
    await call(simulator, vm.host, name, body, SwitchAnswer, signal);
  };
  const probe: Hypervisor<'simulated'>['probe'] = async (host, signal) => {
    const body: ProbeCall = { installation, host: host.connection.total };
    const report = await call(simulator, host, 'probe', body, ProbeAnswer, signal);
    const { uptime } = report;
    return { ...reportFor(installation, report.domains), ...(uptime !== undefined && { uptime }) };
  };
  return {
    can: {
      ...{ deploy: true, destroy: true, poweroff: true, reboot: true },
      ...{ suspend: true, resume: true, migrate: true, move: true },
      ...{ adopt: true, disown: true },
      ...{ store: true, fetch: true, discard: true },
      ...{ attachNic: true, detachNic: true, attachDisk: true, detachDisk: true },
      ...{ resizeDisk: true, snapshotDisk: true, revertDisk: true, dropSnapshot: true },
      ...{ snapshotCreate: true, snapshotRevert: true, snapshotDelete: true },
    },
    probe,
    // Who does not reach the simulator sees nothing of its guests.
    guestsSeen: async () => null,
    look: async ({ id, host }, signal) => (await probe(host, signal)).domains.find(({ vm }) => vm === id) ?? null,
    async deploy({ capacity, labels, devices, adopted, ...vm }, signal) {
      const body: DeployCall = {
        ...{ ...switchOf(vm), capacity, labels },
        ...(devices && { devices }),
        ...(adopted && { adopted }),
      };
      const answer = await call(simulator, vm.host, 'deploy', body, DeployAnswer, signal);
      return { deployId: answer.deploy_id, epoch: answer.epoch };
    },
    async destroy({ hard, ...vm }, signal) {
      const body: DestroyCall = { ...switchOf(vm), hard };
      await call(simulator, vm.host, 'destroy', body, DestroyAnswer, signal);
    },
    async poweroff({ hard, ...vm }, signal) {
      await call(simulator, vm.host, 'poweroff', { ...switchOf(vm), hard }, SwitchAnswer, signal);
    },
    async reboot({ hard, ...vm }, signal) {
      await call(simulator, vm.host, 'reboot', { ...switchOf(vm), hard }, SwitchAnswer, signal);
    },
    async suspend(vm, signal) {
      await call(simulator, vm.host, 'suspend', switchOf(vm), SwitchAnswer, signal);
    },
    async resume(vm, signal) {
      await call(simulator, vm.host, 'resume', switchOf(vm), SwitchAnswer, signal);
    },
    async snapshotCreate({ snapshot, ...vm }, signal) {
      await call(simulator, vm.host, 'snapshotCreate', { ...switchOf(vm), snapshot }, SwitchAnswer, signal);
    },
    async snapshotRevert({ snapshot, ...vm }, signal) {
      await call(simulator, vm.host, 'snapshotRevert', { ...switchOf(vm), snapshot }, SwitchAnswer, signal);
    },
    async snapshotDelete({ snapshot, ...vm }, signal) {
      await call(simulator, vm.host, 'snapshotDelete', { ...switchOf(vm), snapshot }, SwitchAnswer, signal);
    },
    async migrate(vm, signal) {
      await call(simulator, vm.host, 'migrate', moveOf(vm), SwitchAnswer, signal, moving(vm));
    },
    async move(vm, signal) {
      await call(simulator, vm.host, 'move', moveOf(vm), SwitchAnswer, signal, moving(vm));
    },
    async adopt({ deployId, from, ...vm }, signal) {
      const body: AdoptCall = { ...switchOf(vm), deploy_id: deployId, from };
      return (await call(simulator, vm.host, 'adopt', body, AdoptAnswer, signal)).state;
    },
    async disown(vm, signal) {
      await call(simulator, vm.host, 'disown', switchOf(vm), SwitchAnswer, signal);
    },
    store: (vm, signal) => kept({ ...vm, to: storage }, signal),
    fetch: (vm, signal) => kept({ ...vm, host: storage, to: vm.host }, signal),
    async discard(vm, signal) {
      const body: DestroyCall = { ...switchOf({ ...vm, host: storage }), hard: true };
      await call(simulator, storage, 'destroy', body, DestroyAnswer, signal);
    },
    attachNic: (vm, signal) => changed('attachNic', vm, signal),
    detachNic: (vm, signal) => changed('detachNic', vm, signal),
    attachDisk: (vm, signal) => changed('attachDisk', vm, signal),
    detachDisk: (vm, signal) => changed('detachDisk', vm, signal),
    resizeDisk: (vm, signal) => changed('resizeDisk', vm, signal),
    snapshotDisk: (vm, signal) => changed('snapshotDisk', vm, signal),
    revertDisk: (vm, signal) => changed('revertDisk', vm, signal),
    dropSnapshot: (vm, signal) => changed('dropSnapshot', vm, signal),
  };
}

/** Of what takes two hosts both are named: it is not always the one that was asked that does not answer. */
const moving = ({ id, host, to }: MoveTarget): string => `${host.name} could not move VM ${id} to ${to.name}`;

/** Neither of the two has anything. */
export const nothingSaved = ({ id, host, to }: MoveTarget): string =>
  `Nothing is saved of VM ${id}, neither on ${host.name} nor on ${to.name}.`;

/** What a simulated host has, as one installation sees it. */
export function reportFor(installation: string, domains: readonly SimulatedDomain[]): HostReport {
  const report: HostReport = { domains: [], wilds: [] };
  for (const { installation: whose, domain, vm, deploy_id, epoch, heard, capacity, state, ...rest } of domains) {
    const { devices } = rest;
    if (whose === installation)
      report.domains.push({
        vm,
        deployId: deploy_id,
        epoch,
        heard,
        capacity,
        state,
        ...eachMetric((name) => rest[name]),
        ...(devices && { devices }),
      });
    else
      report.wilds.push({
        ...{ name: domain, deployId: deploy_id, capacity, state },
        ...(whose !== '' && { installation: whose }),
      });
  }
  return report;
}

/**
 * One call over HTTP: its parsed answer, or the problem that its failure is, which begins with `failed`. An abort is thrown on as it
 * came.
 */
async function call<A extends z.ZodType>(
  { url, token }: SimulatorAddress,
  host: HostTarget<'simulated'>,
  method: Method,
  body: object,
  answer: A,
  signal: AbortSignal,
  failed = `${host.name} did not answer`,
  name = host.name,
): Promise<z.infer<A>> {
  const { status, text } = await post(
    `${url}/hosts/${encodeURIComponent(host.name)}/${method}`,
    token,
    name,
    body,
    signal,
  );
  const said = jsonOf(text);
  const good = answer.safeParse(said);
  if (status === 200 && good.success) return good.data;
  const refusal = RefusalBody.safeParse(said);
  if (status === 200 || !refusal.success) {
    throw new Problem('backend_unavailable', `${host.name} gave an answer (${status}) that cannot be read.`);
  }
  const { code, detail } = refusal.data;
  // No fault of the VM: the settings have to be mended, and then it works.
  if (code === 'unauthorized') throw new Problem('backend_unavailable', `${host.name} refuses this worker: ${detail}`);
  if (code === 'stale_epoch') throw new Problem('stale_epoch', detail);
  if (status >= 500) throw new Problem('backend_unavailable', `${failed}: ${detail}`);
  throw new Problem(refusalOf(method), detail);
}

/** Connections are kept: a batch has one call for each of its VMs under way. Enough for four batches. */
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/**
 * Not `fetch`: that leaves a listener on the signal after every call, and a worker's signal outlives thousands of calls.
 * A server ends a connection that was idle for its taste; a call that is sent on it at that moment is lost without a word, and
 * is made again at once: no host is at fault. Every such try uses up a kept connection, and a new one is never at fault so.
 */
async function post(
  url: string,
  token: string | undefined,
  name: string,
  body: object,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  signal.throwIfAborted();
  // A batch shares one signal; more than ten listeners on it are no leak.
  setMaxListeners(0, signal);
  const sent = Buffer.from(JSON.stringify(body));
  const headers = {
    'content-type': 'application/json',
    'content-length': sent.length,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  try {
    for (;;) {
      const answer = await exchange(url, headers, sent, signal);
      if (answer !== 'closed before') return answer;
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new Problem('backend_unavailable', `${name} cannot be reached: ${reasonOf(cause)}.`, { cause });
  }
}

/** One request and its answer. `closed before`: a kept connection was gone when the request came. */
function exchange(
  url: string,
  headers: OutgoingHttpHeaders,
  sent: Buffer,
  signal: AbortSignal,
): Promise<{ status: number; text: string } | 'closed before'> {
  return new Promise((resolve, reject) => {
    let answered = false;
    const call = request(url, { method: 'POST', agent, headers, signal }, (response) => {
      answered = true;
      let text = '';
      let left = limits.backendAnswer.most;
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        left -= Buffer.byteLength(part);
        if (left < 0) response.destroy(new Error('its answer is too long'));
        else text += part;
      });
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.once('error', (error) => {
      if (!answered && call.reusedSocket && isLost(error)) resolve('closed before');
      else reject(error);
    });
    call.end(sent);
  });
}

const isLost = (error: Error): boolean => 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'the simulated hypervisor does not run (connection refused)';
  if (isLost(error)) return 'the connection was lost';
  return error.message || code;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
