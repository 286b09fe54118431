import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { ServiceState } from '../../schemas/services/service.js';
import type { FactsOf, Work } from './facts.js';
import { inTheWay, type Refusal, type Verdict, wrongState } from './verdict.js';

type Service = FactsOf<'service'>;
type Undeployment = OperationInputs['undeployService'];

/** The states in which an operation that has a service to itself may begin on one that is there. */
export const beginsIn = {
  deployService: ['FAILED_DEPLOYING'],
  repairService: ['WARNING'],
} as const satisfies Record<string, readonly ServiceState[]>;

/** Goes on with what failed, whichever way it was going. */
export function mayRecover(service: Service): Verdict {
  const { id, state, work } = service;
  if (work) return atWork(service, work);
  return state === 'FAILED_DEPLOYING' || state === 'FAILED_UNDEPLOYING'
    ? 'may'
    : wrongState(
        `Service ${id} is ${state}: only FAILED_DEPLOYING and FAILED_UNDEPLOYING can be recovered${state === 'WARNING' ? '. Repair it' : ''}.`,
      );
}

export function mayRepair(service: Service): Verdict {
  const { id, state, work } = service;
  if (work) return atWork(service, work);
  if (state === 'WARNING') return 'may';
  return wrongState(
    state === 'RUNNING'
      ? `Service ${id} is RUNNING, and nothing of it is amiss: there is nothing to repair.`
      : `Service ${id} is ${state}: only one in WARNING is repaired${state.startsWith('FAILED') ? '. Recover it' : ''}.`,
  );
}

/** Whatever is going on gives way to an undeployment, an undeployment to a harder one, and each to a deletion. */
export function mayUndeploy(service: Service, wish: Undeployment): Verdict {
  const { id, state, work, going } = service;
  if (state === 'DONE' && !wish.remove)
    return wrongState(`Service ${id} is DONE: it is undeployed already. DELETE removes its document.`);
  return going && work && strength(wish) <= strength(going) ? atWork(service, work) : 'may';
}

const strength = ({ hard, remove }: Undeployment): number => (remove ? 2 : 0) + (hard === true ? 1 : 0);

function atWork({ id, going }: Service, { op, kind, state }: Work): Refusal {
  const wait = state === 'waiting_for_you' ? 'Answer' : 'Wait for';
  const preempts = going
    ? [
        ...(strength(going) % 2 === 0 ? ['undeploy it with hard'] : []),
        ...(strength(going) < 3 ? ['delete the service'] : []),
      ]
    : ['undeploy or delete the service'];
  const instead = preempts.length > 0 ? `, or ${preempts.join(' or ')}, which pre-empts it` : '';
  return inTheWay(
    { op, kind, state },
    `Operation ${op} (${kind ?? 'unknown'}) is at work on service ${id}. ${wait} it${instead}.`,
  );
}
