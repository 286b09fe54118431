import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { FloorRole, FloorService } from './input.js';
import type { FloorSteps } from './steps.js';

const local = proxyLocalActivities<FloorSteps>({ startToCloseTimeout: '30s' });
const normal = proxyActivities<FloorSteps>({ startToCloseTimeout: '1m' });

/** VMs that one normal activity works on: as many as one of the product's. */
const batch = 50;

/** A first local step, for each role a local step, a normal one for each batch of VMs and a local one, and a last local step. */
export async function deployFloor({ id, roles }: FloorService): Promise<void> {
  await local.begin(id, 'DEPLOYING');
  await inOrder(
    roles,
    (role) => role.parents,
    async ({ name, cardinality }) => {
      const vms = await local.makeVms(id, name, cardinality);
      await Promise.all(batches(vms).map((some) => normal.boot(some)));
      await local.endRole(id, name, 'RUNNING');
    },
  );
  await local.end(id, 'RUNNING');
}

/** The same, children first. */
export async function undeployFloor({ id, roles }: FloorService): Promise<void> {
  await local.begin(id, 'UNDEPLOYING');
  await inOrder(
    roles,
    ({ name }) => roles.filter(({ parents }) => parents.includes(name)).map((child) => child.name),
    async ({ name }) => {
      const vms = await local.takeVms(id, name);
      await Promise.all(batches(vms).map((some) => normal.destroy(some)));
      await local.endRole(id, name, 'DONE');
    },
  );
  await local.end(id, 'DONE');
}

/** Something is done to a VM: it is begun, taken, worked on as often as a call is made, and left. */
export async function actFloor(id: string, calls: number): Promise<void> {
  await local.markAct(id, 'BEGUN');
  await local.markAct(id, 'TAKEN');
  for (let call = 0; call < calls; call++) await normal.work(id);
  await local.markAct(id, 'DONE');
}

async function inOrder(
  roles: readonly FloorRole[],
  waitsFor: (role: FloorRole) => readonly string[],
  visit: (role: FloorRole) => Promise<void>,
): Promise<void> {
  const visits = new Map<string, Promise<void>>();
  const visited = (role: FloorRole): Promise<void> => {
    const known = visits.get(role.name);
    if (known) return known;
    const before = roles.filter(({ name }) => waitsFor(role).includes(name));
    const going = Promise.all(before.map(visited)).then(() => visit(role));
    visits.set(role.name, going);
    return going;
  };
  await Promise.all(roles.map(visited));
}

function batches(vms: readonly string[]): string[][] {
  const some: string[][] = [];
  for (let at = 0; at < vms.length; at += batch) some.push(vms.slice(at, at + batch));
  return some;
}
