import { Problem } from '../../../domain/problems.js';
import { wildOn } from '../../support/wilds.js';
import type { ExampleWorld } from './example-world.js';

/** What goes on in the cloud between two examples, as a sentence and as a deed. */
export type Event = { meanwhile: string; happens: (world: ExampleWorld) => Promise<unknown> };

const meanwhile = (sentence: string, happens: Event['happens']): Event => ({ meanwhile: sentence, happens });

const settled = meanwhile('the operation ends, or asks', (world) => world.settled());

function guest(vm: number, down: 'stopped' | 'failed'): Event {
  const becomes = down === 'stopped' ? 'stops by itself' : 'crashes';
  return meanwhile(`the guest of VM ${vm} ${becomes}`, async (world) => {
    world.hypervisor.bringDown(vm, down);
    await world.monitored();
  });
}

/** Images of the role web of the second service are missing, for now. */
const missing = (are: boolean): Event =>
  meanwhile(are ? 'an image is lost' : 'the image is there again', async (world) => {
    world.hypervisor.beforeEach = ({ call, vm }) => {
      if (are && call === 'deploy' && vm !== null && vm > 5)
        throw new Problem('deploy_refused', 'node-1: there is no image 7');
    };
  });

const enabled = meanwhile('the host is enabled again', async (world) => {
  await world.send('patch', '/hosts/0').send({ state: 'enabled' });
  await world.tick('monitorHosts');
});

/** An object is shared and given to somebody, and given back: what is told of it later is as before. */
const shared = (kind: string, path: string): (string | Event)[] => [
  `chmod${kind}`,
  `chown${kind}`,
  meanwhile('it is given back', async (world) => {
    await world.send('post', `${path}/chown`).send({ uid: 0, gid: 0 });
    await world.send('post', `${path}/chmod`).send({ octet: '600' });
  }),
];

/** Every route by its id, in an order in which each of its examples finds what it is about. */
export const story: readonly (string | Event)[] = [
  ...['createCluster', 'listClusters', 'showCluster'],
  ...shared('Cluster', '/clusters/100'),
  'updateCluster',
  ...['createDatastore', 'listDatastores', 'showDatastore'],
  ...shared('Datastore', '/datastores/100'),
  ...['updateDatastore', 'deleteDatastore'],
  ...['createImage', settled, 'listImages', 'showImage', 'whyImage', 'listImageOperations'],
  ...shared('Image', '/images/0'),
  ...['updateImage', 'cloneImage', settled, 'deleteImage', settled, 'resizeImage', settled],
  meanwhile('a VM that used the image has left two snapshots in it', async (world) => {
    const snapshot = { parent: null, taken_at: new Date() };
    const snapshots = [0, 1].map((snapshot_id) => ({ ...snapshot, snapshot_id, name: `${snapshot_id}` }));
    const set = { snapshots: { snapshots, current: 1, snapshot_ids: 2 } };
    await world.store.images.model.updateOne({ _id: 0 }, { $set: set });
    world.storage.snapshots.set('1/0', [0, 1]);
  }),
  ...['revertImageSnapshot', settled, 'deleteImageSnapshot', settled, 'flattenImageSnapshot', settled],
  'createHost',
  meanwhile('the host is probed', (world) => world.tick('monitorHosts')),
  ...['listHosts', 'showHost'],
  ...shared('Host', '/hosts/0'),
  ...['showHostMetrics', 'cleanHost', 'updateHost', 'whyHost'],
  enabled,
  'flushHost',
  settled,
  'listHostOperations',
  enabled,
  meanwhile('the host does not answer', (world) => world.store.hosts.silent(0, 'connection refused')),
  ...['callHostFenced', 'failoverHost', settled],
  meanwhile('the host answers again', (world) => world.tick('monitorHosts')),
  meanwhile('the host is disabled, and has a policy', async (world) => {
    const fencing = [{ kind: 'command', program: 'bmc-off', arguments: [] }];
    await world.send('patch', '/hosts/0').send({ state: 'disabled', ha: { action: 'recreate', fencing } });
  }),
  'testHostFencing',
  settled,
  meanwhile('it has no policy any more', (world) => world.send('patch', '/hosts/0').send({ ha: null })),
  enabled,
  ...[
    'createNetwork',
    'listNetworks',
    'showNetwork',
    'whyNetwork',
    'updateNetwork',
    'addRange',
    'resizeRange',
    'removeRange',
  ],
  ...shared('Network', '/virtual-networks/0'),
  ...['reserveAddresses', 'deleteNetwork', 'holdAddress', 'showLeases', 'releaseAddress'],
  ...['createNetworkTemplate', 'listNetworkTemplates', 'showNetworkTemplate'],
  ...shared('NetworkTemplate', '/network-templates/0'),
  ...['instantiateNetworkTemplate', 'updateNetworkTemplate', 'deleteNetworkTemplate'],
  ...['createSecurityGroup', 'listSecurityGroups', 'showSecurityGroup'],
  ...shared('SecurityGroup', '/security-groups/100'),
  ...['updateSecurityGroup', 'deleteSecurityGroup'],
  ...['createMarket', 'listMarkets', 'showMarket'],
  ...shared('Market', '/marketplaces/100'),
  ...['updateMarket', 'deleteMarket'],
  ...['createVmTemplate', 'listVmTemplates', 'showVmTemplate'],
  ...shared('VmTemplate', '/vm-templates/0'),
  ...['replaceVmTemplate', 'updateVmTemplate', 'deleteVmTemplate'],
  ...['createServiceTemplate', 'listServiceTemplates', 'showServiceTemplate'],
  ...['showServiceTemplateRevisions', 'showServiceTemplateRevision', 'showServiceTemplateInputs'],
  ...shared('ServiceTemplate', '/service-templates/0'),

  'instantiateServiceTemplate',
  settled,
  ...['listServices', 'showService', 'whyService', 'listServiceOperations', 'listOperations', 'showOperation'],
  ...shared('Service', '/services/1'),
  'updateService',

  'createVm',
  settled,
  ...['showHostWhatIf', 'showClusterWhatIf'],
  ...[
    'listVms',
    'showVm',
    'whyVm',
    'showVmPlacement',
    'showVmMetrics',
    'showVmLog',
    'showVmContext',
    'askForScreen',
    'listVmOperations',
    'reschedVm',
    'unreschedVm',
  ],
  ...['addVmSchedule', 'showVmSchedules', 'removeVmSchedule'],
  ...shared('Vm', '/vms/3'),
  'updateVm',
  guest(3, 'stopped'),
  'resumeVm',
  settled,
  guest(3, 'failed'),
  'recoverVm',
  settled,
  'performOnVm',
  settled,
  'migrateVm',
  settled,
  meanwhile('there is a network, and hosts reach a system datastore', async (world) => {
    const { body: host } = await world.send('get', '/hosts/0');
    await world.send('patch', '/datastores/0').send({ cluster_ids: [host.cluster_id] });
    const address_ranges = [{ type: 'IP4', ip: '192.168.0.1', size: 50 }];
    await world.send('post', '/virtual-networks').send({ name: 'public', address_ranges });
  }),
  ...['attachNic', 'detachNic', 'attachDisk', 'resizeDisk', 'saveDisk'].flatMap((id) => [id, settled]),
  meanwhile('it is powered off', async (world) => {
    await world.send('post', '/vms/3/actions').send({ action: 'poweroff' });
    await world.settled();
  }),
  ...['restoreDisk', 'snapshotDisk'].flatMap((id) => [id, settled]),
  meanwhile('it has a second snapshot', async (world) => {
    await world.send('post', '/vms/3/disks/0/snapshots').send({ name: 'after the upgrade' });
    await world.settled();
  }),
  ...['revertDiskSnapshot', settled],
  ...['deleteDiskSnapshot', settled],
  'detachDisk',
  settled,
  guest(1, 'failed'),
  'repairService',
  settled,

  missing(true),
  'createService',
  settled,
  ...['whyOperation', 'answerOperation'],
  settled,
  'recoverService',
  settled,
  'cancelOperation',
  missing(false),
  'retryOperation',
  settled,
  'undeployService',
  settled,
  'deleteService',
  settled,
  'terminateVm',
  settled,
  'scaleRole',
  settled,
  'addRole',
  settled,
  'removeRole',
  settled,
  'performOnRole',
  settled,
  'performOnService',
  settled,
  ...['replacePolicies', 'showPolicies', 'pausePolicy', 'resumePolicy'],
  ...['replaceSchedules', 'showSchedules', 'pauseSchedule', 'resumeSchedule'],

  ...['rotateSecrets', 'showOwnQuotas', 'showDefaultQuotas', 'updateDefaultQuotas'],
  meanwhile('there are no defaults again', (world) =>
    world.send('patch', '/quotas/defaults').send({ users: { vms: -2 } }),
  ),
  ...['updateUserQuota', 'showUserQuota', 'listUserQuotas'],
  ...['updateGroupQuota', 'showGroupQuota', 'listGroupQuotas'],

  'showSelf',
  ...['createGroup', 'listGroups', 'showGroup'],
  ...['createUser', 'listUsers', 'showUser', 'updateUser', 'setPassword', 'joinGroup', 'leaveGroup'],
  ...['addGroupAdmin', 'removeGroupAdmin', 'updateGroup'],
  ...['createAcl', 'listAcls', 'showAcl', 'deleteAcl'],
  ...['createToken', 'listTokens', 'showToken', 'listUserTokens', 'revokeToken', 'revokeUserToken'],
  ...['deleteUser', 'deleteGroup'],

  'checkConsistency',
  settled,
  ...['listConsistencyChecks', 'showConsistencyCheck'],

  meanwhile('VMs are made on hold', async (world) => {
    for (const name of ['spare', 'reserve']) {
      await world.send('post', '/vms').send({ template_id: 0, name, hold: true });
      await world.settled();
    }
  }),
  ...['holdVm', 'resizeVm', 'configureVm', 'releaseVm'],
  settled,
  'deployVm',
  settled,
  meanwhile('they are ended', async (world) => {
    for (const id of [14, 15]) await world.send('post', `/vms/${id}/terminate`).send({ hard: true });
    await world.settled();
  }),

  ...['replaceServiceTemplate', 'updateServiceTemplate', 'cloneServiceTemplate'],
  meanwhile('a service is made that waits', async (world) => {
    const merge_template = { name: 'winter shop', on_hold: true };
    await world.send('post', '/services').send({ template_id: 0, merge_template });
    await world.settled();
  }),
  'releaseService',
  settled,
  meanwhile('it is removed', async (world) => {
    await world.send('delete', '/services/4');
    await world.settled();
  }),
  meanwhile('somebody else runs a domain on the host', async (world) => {
    // By the number that the examples have, whatever other files have made before in this process.
    await wildOn(world, 'node-1', 'runs', 501);
  }),
  'importWild',
  settled,
  meanwhile('its VM is ended', async (world) => {
    const { _id } = await world.store.vms.model.findOne().sort({ _id: -1 }).lean().orFail().exec();
    await world.send('post', `/vms/${_id}/terminate`).send({ hard: true });
    await world.settled();
  }),
  'deleteServiceTemplate',
  meanwhile('there is a marketplace', async (world) => {
    const http = { base_url: 'http://market.example.org/apps', public_dir: '/srv/market' };
    await world.send('post', '/marketplaces').send({ name: 'corporate', market_mad: 'http', http });
  }),
  ...['publishApp', settled, 'listApps', 'showApp', 'whyApp', 'listAppOperations'],
  ...shared('App', '/marketplace-apps/0'),
  ...['updateApp', 'exportApp', settled, 'deleteApp', settled],
  meanwhile('nothing is left on the host, nor in its cluster', async (world) => {
    await world.send('patch', '/datastores/0').send({ cluster_ids: [0] });
    await world.send('delete', '/services/1');
    await world.settled();
  }),
  ...['deleteHost', 'deleteCluster'],
];
