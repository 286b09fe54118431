import type { Caller } from '../../domain/identity/caller.js';
import { askedText } from '../../domain/services/asked-text.js';
import { releasable, rolesToRelease } from '../../domain/services/roles-to-repair.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { ReleaseService } from '../../schemas/services/service.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { admit } from '../operations/admit.js';
import { roleOf } from './role-of.js';
import { once, wishOn } from './services.js';
import { whyNoneIsMade } from './template-use.js';

/** Deploys what is on hold: all of it, or the role that is named, and what waits for it; nothing else of the service is taken. */
export async function releaseService(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { role }: ReleaseService,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const asked = { request: { deed: 'release', id, role }, admission };
  return once(context, caller, id, asked, async () => {
    const service = authorised(caller, 'service', await store.services.find(id), 'manage', id);
    if (role !== undefined) roleOf(service, role);
    const { held, takes } = rolesToRelease(service, role);
    const act = { do: 'release', roles: takes, ...(role !== undefined && { role }) } as const;
    await demandOn(store, act, { type: 'service', service });
    const making = service.roles.filter(({ name }) => takes.includes(name));
    const refusal = await whyNoneIsMade(store, caller, making);
    if (refusal) throw refusal;
    return admit(context, caller, admission, {
      kind: 'deployService',
      ...wishOn(service, asked),
      input: { roles: takes },
      claim: (op, transaction) =>
        store.services.admitDeployment(
          id,
          op,
          {
            takes,
            of: (now) => rolesToRelease(now, role).takes,
            states: releasable,
            message: askedText('release', caller.name, held),
          },
          transaction,
        ),
      refusal: () => whyLost(store, act, { type: 'service', id }),
    });
  });
}
