import type { Caller } from '../../domain/identity/caller.js';
import { networkOfTemplate } from '../../domain/networks/network-template.js';
import { refuseOfReservation } from '../../domain/networks/reservation.js';
import { type Finding, Problem, type ProblemCode, problemOf } from '../../domain/problems.js';
import type { WishedNetwork } from '../../domain/services/network-wishes.js';
import type { ServiceNetwork } from '../../schemas/services/service-network.js';
import { networkFindings, refuse } from '../../store/networks/network-making.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';

/**
 * The networks of a new service: those that are there may be used by whoever asks, and so may templates of others; of others so many addresses
 * may be reserved, and are free now. What is to be made is given its id, and is made by the deployment.
 */
export async function chosenNetworks(
  { store }: OperationsContext,
  caller: Caller,
  wishes: readonly WishedNetwork[],
): Promise<ServiceNetwork[]> {
  const wrong: (Finding & { code: ProblemCode })[] = [];
  for (const { pointer, wish } of wishes)
    try {
      if ('template' in wish) {
        const { template: of, address_ranges } = wish;
        const template = authorised(caller, 'network_template', await store.networkTemplates.find(of), 'use', of);
        refuse(
          networkFindings(networkOfTemplate(template, template.name, { ...(address_ranges && { address_ranges }) })),
        );
        continue;
      }
      const [id, right] = 'id' in wish ? [wish.id, 'use' as const] : [wish.from, 'manage' as const];
      const network = authorised(caller, 'network', await store.networks.find(id), right, id);
      if ('id' in wish) continue;
      refuseOfReservation(network);
      await store.reservations.freeRun(network, wish);
    } catch (error) {
      const problem = problemOf(error);
      if (!problem) throw error;
      const [finding] = problem.findings;
      const detail = finding && 'template' in wish ? `${finding.pointer.slice(1)} ${finding.detail}` : problem.message;
      wrong.push({ pointer, detail, code: problem.code });
    }
  if (wrong.length > 0) {
    const all = (code: ProblemCode): boolean => wrong.every((one) => one.code === code);
    const code = all('not_authorized') ? 'not_authorized' : all('in_use') ? 'in_use' : 'invalid_request';
    const findings = wrong.map(({ pointer, detail }) => ({ pointer, detail }));
    throw new Problem(code, 'The service cannot have these networks.', { findings });
  }
  const chosen: ServiceNetwork[] = [];
  for (const { name, wish } of wishes)
    chosen.push(
      'id' in wish
        ? { name, id: wish.id }
        : 'template' in wish
          ? {
              ...{ name, id: await store.counters.one('vnet') },
              template: {
                ...{ id: wish.template, made: false },
                ...(wish.address_ranges && { address_ranges: wish.address_ranges }),
              },
            }
          : { name, id: await store.counters.one('vnet'), reserved: { ...wish, made: false } },
    );
  return chosen;
}
