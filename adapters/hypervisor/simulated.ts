import type { z } from 'zod';
import { Problem, type ProblemCode } from '../../domain/problems.js';
import {
  DeployAnswer,
  type DeployCall,
  DestroyAnswer,
  type DestroyCall,
  ProbeAnswer,
  RefusalBody,
} from '../../schemas/simulator.js';
import type { HostTarget, Hypervisor } from './port.js';

type Method = 'probe' | 'deploy' | 'destroy';

/** Which problem a refusal is that trying again cannot mend. A probe is never refused but by a simulator of another version. */
const refused: Record<Method, ProblemCode> = {
  probe: 'backend_unavailable',
  deploy: 'deploy_refused',
  destroy: 'destroy_refused',
};

/** The hypervisor that `arcus-sim` serves at this address. Its hosts come into being by being named. */
export function simulatedHypervisor({ url }: { url: string }): Hypervisor {
  return {
    async probe(host, signal) {
      const report = await call(url, host, 'probe', { host: host.total }, ProbeAnswer, signal);
      return {
        total: report.total,
        domains: report.domains.map(({ vm, deploy_id, epoch, state, cpu, memory }) => {
          return { vm, deployId: deploy_id, epoch, state, cpu, memory };
        }),
      };
    },
    async deploy({ id, domain, epoch, host, capacity, labels }, signal) {
      const body: DeployCall = { vm: id, domain, epoch, host: host.total, capacity, labels };
      const answer = await call(url, host, 'deploy', body, DeployAnswer, signal);
      return { deployId: answer.deploy_id, epoch: answer.epoch };
    },
    async destroy({ id, domain, epoch, host, hard }, signal) {
      const body: DestroyCall = { vm: id, domain, epoch, host: host.total, hard };
      await call(url, host, 'destroy', body, DestroyAnswer, signal);
    },
  };
}

/** One call over HTTP: its parsed answer, or the problem that its failure is. An abort is thrown on as it came. */
async function call<A extends z.ZodType>(
  url: string,
  host: HostTarget,
  method: Method,
  body: object,
  answer: A,
  signal: AbortSignal,
): Promise<z.infer<A>> {
  const { status, text } = await post(`${url}/hosts/${encodeURIComponent(host.name)}/${method}`, host, body, signal);
  const said = jsonOf(text);
  const good = answer.safeParse(said);
  if (status === 200 && good.success) return good.data;
  const refusal = RefusalBody.safeParse(said);
  if (status === 200 || !refusal.success) {
    throw new Problem('backend_unavailable', `${host.name} gave an answer (${status}) that cannot be read.`);
  }
  const { code, detail } = refusal.data;
  if (code === 'stale_epoch') throw new Problem('stale_epoch', detail);
  if (status >= 500) throw new Problem('backend_unavailable', `${host.name} did not answer: ${detail}`);
  throw new Problem(refused[method], detail);
}

async function post(
  url: string,
  host: HostTarget,
  body: object,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  try {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    signal.throwIfAborted();
    throw new Problem('backend_unavailable', `${host.name} cannot be reached: ${reasonOf(cause)}.`, { cause });
  }
}

/** `fetch` says "fetch failed" of everything; what happened is in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  if (code === 'ECONNREFUSED') return 'the simulated hypervisor does not run (connection refused)';
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') return 'the connection was lost';
  return cause instanceof Error ? cause.message || String(code) : String(cause);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
