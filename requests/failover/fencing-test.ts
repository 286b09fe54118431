import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import { demandOn } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { wishOnHost } from '../hosts/wish-on-host.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';

const act: Act = { do: 'testFencing' };

/** Has a host that has no VMs, and takes none, turned off and on by each method of its policy: where all do it, failovers begin by themselves. */
export async function testFencing(
  context: OperationsContext,
  caller: Caller,
  id: number,
  admission: Admission,
): Promise<OperationResource> {
  authorised(caller, 'host', await context.store.hosts.find(id), 'admin', id);
  const request = { deed: 'fence-test', id };
  const repeated = await repeatedRequest(context, caller, admission, request);
  return repeated ?? testFencingAgain(context, caller, id, { request, admission });
}

export async function testFencingAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  asked: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const host = authorised(caller, 'host', await store.hosts.find(id), 'admin', id);
  await demandOn(store, act, { type: 'host', host });
  // That of a policy of an earlier version has no name yet.
  const methods = host.ha?.methods ?? (await store.failovers.nameMethods(id));
  return admit(context, caller, asked.admission, {
    kind: 'testFencing',
    ...wishOnHost(store, host, act, asked),
    input: { methods },
    claim: (op, transaction) => store.failovers.admitTest(id, op, methods, transaction),
  });
}
