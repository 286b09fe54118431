import { afterAll, beforeAll, expect, it } from 'vitest';
import { withTransaction } from '../../store/mongo/transaction.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts } from '../support/cluster-clouds.js';
import { checkConsistency } from '../support/cluster-consistency.js';

const patient = { interval: 50 };

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start({ onServersOfTheRun: true, settings: { boot_ms: 20 } });
  await makeHosts(cluster.client, 1);
});
afterAll(() => cluster?.stop());

const make = (name: string, ip: string, size: number): Promise<number> =>
  cluster.client.make('/virtual-networks', { name, address_ranges: [{ type: 'IP4', ip, size }] });
const leases = (network: number) => cluster.store.leases.count(network);
const networkNames = async () =>
  (await cluster.store.networks.model.find().sort({ _id: 1 }).lean()).map(({ name }) => name);

/** Whether a step of an operation has begun. */
const hasBegun = async (op: string, step: string): Promise<boolean> =>
  (await cluster.store.steps.ofOperation(op, 50)).some(({ name }) => name === step);

/** The worker dies in the middle of a step: it waits for what this has written of a network and does not let go of before. */
async function killedIn(op: string, step: string, { network }: { network: number }): Promise<void> {
  let letGo = () => {};
  const dead = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const inTheWay = withTransaction(cluster.store.connection, async (transaction) => {
    await cluster.store.leases.shut(network, transaction);
    await dead;
  });
  await cluster.startWhatEnded();
  await expect.poll(() => hasBegun(op, step), patient).toBe(true);
  await cluster.worker(0).kill();
  letGo();
  await inTheWay;
  await cluster.startWhatEnded();
}

it('makes the network of a service once and gives it back, though its worker is killed in the middle of both', async () => {
  const [office, backbone] = [await make('office', '10.0.0.1', 20), await make('backbone', '10.0.1.1', 20)];
  const vm_template = await cluster.client.make('/vm-templates', {
    name: 'small',
    template: { CPU: 0.5, MEMORY: 256 },
  });
  const template = await cluster.client.make('/service-templates', {
    name: 'hadoop',
    deployment: 'straight',
    networks: { Public: 'M|network|Public addresses| |id:', Private: 'M|network|For its traffic' },
    roles: [
      {
        name: 'master',
        vm_template,
        vm_template_contents: 'NIC=[NETWORK_ID="$Public"]\nNIC=[NETWORK_ID="$Private"]\n',
      },
      {
        name: 'slave',
        vm_template,
        cardinality: 2,
        parents: ['master'],
        vm_template_contents: 'NIC=[NETWORK_ID="$Private"]\n',
      },
    ],
  });
  await cluster.worker(0).kill();
  const { id: deployment, resource } = await cluster.client.accepted(
    'POST',
    `/service-templates/${template}/instantiate`,
    {
      networks: { Public: { network_id: office }, Private: { reserve_from: backbone, size: 5 } },
    },
  );
  const own = (await cluster.client.service(resource.id)).virtual_networks[1]?.network_id ?? -1;
  expect(await leases(backbone)).toBe(0);

  await killedIn(deployment, 'makeNetworks', { network: backbone });
  await cluster.client.awaitService(resource.id, 'RUNNING');
  expect(await networkNames()).toEqual(['office', 'backbone', `Private-${resource.id}`]);
  expect([await leases(office), await leases(backbone), await leases(own)]).toEqual([1, 5, 3]);
  expect(await checkConsistency(cluster)).toEqual([]);

  await cluster.worker(0).kill();
  const undeployment = await cluster.client.accepted('POST', `/services/${resource.id}/undeploy`, {});
  await killedIn(undeployment.id, 'removeNetworks', { network: own });
  await cluster.client.awaitOperation(undeployment.id, 'succeeded');
  expect(await networkNames()).toEqual(['office', 'backbone']);
  expect([await leases(office), await leases(backbone), await leases(own)]).toEqual([0, 0, 0]);
  expect(await checkConsistency(cluster)).toEqual([]);
});
