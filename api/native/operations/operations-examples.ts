import { kinds } from '../../../schemas/kinds.js';
import type { NextAction } from '../../../schemas/operations/next-action.js';
import type { OperationKind } from '../../../schemas/operations/operation.js';
import type { OperationDetail, OperationResource } from '../../../schemas/operations/operation-resource.js';
import type { StepResource } from '../../../schemas/operations/step.js';
import type { Why } from '../../../schemas/operations/why.js';
import { apiRoot } from '../route.js';

/** Operations of the examples, in the order in which they are accepted. */
export const ids = {
  image: '01KQS4YZ0A5N8R3V6C1F4H7K0M',
  clone: '01KQS4ZD0B6P9S4W7D2G5J8M1N',
  imageDeletion: '01KQS4ZV0C7Q0T5X8E3H6K9N2P',
  revertImageSnapshot: '01KQS4A8D0Q7R3N5W9X2K6V4MB',
  deleteImageSnapshot: '01KQS4A8D0Q7R3N5W9X2K6V4MC',
  flattenImageSnapshot: '01KQS4A8D0Q7R3N5W9X2K6V4MD',
  imageResize: '01KQS4ZV0C7Q0T5X8E3H6K9N3R',
  flush: '01KQS50G8M3W7Y2B9C5D4E6F1H',
  failover: '01KQS50G8M3W7Y2B9C5D4E6F2J',
  fenceTest: '01KQS52G8M3W7Y2B9C5D4E6F3K',
  deployment: '01KQS59CCGG11TGCXNN17HER40',
  vm: '01KQS5CQT0RXPDM2GVXJND2C0N',
  resumption: '01KQS5GD00WM2MRQZ7BZRMAQ18',
  recreation: '01KQS5M260AGGW1XWF5B87FRD8',
  reboot: '01KQS5NWS04YYMCAAY62ZY5G74',
  migration: '01KQS5PGA06F3K8Q1ZC5V7T2RX',
  nicAttach: '01KQS5Q3V0A7C1F5H9K3N6R0TW',
  nicDetach: '01KQS5Q7C0B8D2G6J0M4P7S1VX',
  diskAttach: '01KQS5QAX0C9E3H7K1N5Q8T2WY',
  diskResize: '01KQS5QEE0D0F4J8M2P6R9V3XZ',
  diskSave: '01KQS5QGG0E6V2N8C4H0M7T3XB',
  diskRestore: '01KQS5QJ40D9P6W3X5K8N2V7YC',
  diskSnapshot: '01KQS5QHZ0E1G5K9N3Q7S0W4Y0',
  diskRevert: '01KQS5QJZ0F2H6M0P4R8T1X5Z1',
  snapshotDelete: '01KQS5QKZ0G3J7N1Q5S9V2Y602',
  diskDetach: '01KQS5QMZ0H4K8P2R6T0W3Z713',
  repair: '01KQS5QQC0RR1YEGX8CG2Y28FZ',
  second: '01KQS5VCJ0VJGB97WZQQMVP04T',
  recovery: '01KQS5Z1R0QYFH1SJ459EHD8TD',
  retry: '01KQS62PY07YP0D0824P65TKWH',
  undeployment: '01KQS66C404HYJVJ4FCCN4MWA5',
  deletion: '01KQS6A1A0SKM4MA64YEF8J4DZ',
  termination: '01KQS6DPG0B252W4DY4DW06CF7',
  scaling: '01KQS6FH30V5C8Q0N4WYRB7E9K',
  action: '01KQS6G2J0M3Z8R5T1XV9CDA4E',
  actionOnAll: '01KQS6GTC0Q7B2N6W4YJ8HFS5K',
  addition: '01KQS6GF40W8R2C5Y7N3K1MTZD',
  removal: '01KQS6GQ40B4H9X6V2J8S5PQWE',
  check: '01KQS6HBP0GFV8XN6MXSEBES48',
  vmRelease: '01KQS6KST07B4N1X9C3Q5W8ZKT',
  vmDeploy: '01KQS6MDB02M6V8T0R4Y1HJ3PD',
  release: '01KQS6N0E0Y6T3J8W2Q9C4VBDM',
  import: '01KQS6P7H0Z8V4K9X3R0D5WCEN',
  publication: '01KQS6NA00F1J5T9Y3K7C2VQ4A',
  export: '01KQS6NB00F1J5T9Y3K7C2VQ4B',
  appDeletion: '01KQS6NC00F1J5T9Y3K7C2VQ4C',
};

type Ref = { type: 'service' | 'vm' | 'host' | 'image' | 'app'; id: number; name: string };
export const shopOfMay: Ref = { type: 'service', id: 1, name: 'shop of May' };
export const secondShop: Ref = { type: 'service', id: 2, name: 'shop' };
export const heldShop: Ref = { type: 'service', id: 4, name: 'winter shop' };
export const buildServer: Ref = { type: 'vm', id: 3, name: 'build-server' };

export const imageData: Ref = { type: 'image', id: 0, name: 'data' };
export const cloneOfData: Ref = { type: 'image', id: 1, name: 'data of May' };

export const dataApp: Ref = { type: 'app', id: 0, name: 'data' };
export const exportedData: Ref = { type: 'image', id: 3, name: 'data of the marketplace' };

/** VMs that were made on hold. */
export const heldVm: Ref = { type: 'vm', id: 14, name: 'spare' };
export const placedVm: Ref = { type: 'vm', id: 15, name: 'reserve' };

const runsUrl = 'https://temporal.example.org/namespaces/arcus/workflows';

/** An operation as it is answered at once: accepted, its run not begun. */
export const accepted = (
  id: string,
  type: OperationKind,
  { type: kind, id: of, name }: Ref,
  time: string,
): OperationResource => ({
  id,
  type,
  action: null,
  state: 'accepted',
  resource: { type: kind, id: of, name, href: `${apiRoot}${kinds[kind].path}/${of}` },
  role: null,
  requester: { id: 0, name: 'oneadmin' },
  waiting_for: null,
  error: null,
  question: null,
  cancel_requested: null,
  decided_by: null,
  retry_of: null,
  workflow: { id: `${kind}-${of}`, run_id: null, url: `${runsUrl}/${kind}-${of}` },
  created_at: `2026-05-04T${time}.000Z`,
  started_at: null,
  ended_at: null,
});

/** The same once a run has begun it. */
export const begun = (operation: OperationResource, run: string, time: string): OperationResource => ({
  ...operation,
  workflow: {
    ...operation.workflow,
    run_id: run,
    url: `${runsUrl}/${encodeURIComponent(operation.workflow.id)}/${run}/history`,
  },
  started_at: `2026-05-04T${time}.000Z`,
});

export const scaledUp = (id: string): OperationResource => ({
  ...accepted(id, 'scaleRole', shopOfMay, '09:53:00'),
  role: 'web',
  workflow: { id: 'service-1/web', run_id: null, url: `${runsUrl}/service-1%2Fweb` },
});

/** Of a role that comes, or goes. */
export const addedRole = (id: string, time: string): OperationResource => ({
  ...accepted(id, 'scaleRole', shopOfMay, time),
  role: 'cache',
  workflow: { id: 'service-1/cache', run_id: null, url: `${runsUrl}/service-1%2Fcache` },
});

/** Of some roles, as a repair, recovery or release takes them: each has a run of its own. */
export const acceptedOnRoles = (
  id: string,
  type: 'repairService' | 'deployService',
  of: Ref,
  time: string,
): OperationResource => {
  const run = `service-${of.id}/roles-${id}`;
  return {
    ...accepted(id, type, of, time),
    workflow: { id: run, run_id: null, url: `${runsUrl}/${encodeURIComponent(run)}` },
  };
};

/** Of a role, or of the whole service: each has a run of its own. */
export const actedOn = (id: string, role: string | null): OperationResource => {
  const path = `${role === null ? '' : `/${role}`}/actions-${id}`;
  return {
    ...accepted(id, 'performOnRole', shopOfMay, '09:53:30'),
    action: role === null ? 'resume' : 'recreate',
    role,
    workflow: { id: `service-1${path}`, run_id: null, url: `${runsUrl}/${encodeURIComponent(`service-1${path}`)}` },
  };
};

export const checkAccepted: OperationResource = {
  ...accepted(ids.check, 'checkConsistency', shopOfMay, '09:54:00'),
  resource: { type: 'zone', id: 0, name: 'zone 0', href: `${apiRoot}/consistency-checks/${ids.check}` },
  workflow: { id: 'zone-0', run_id: null, url: `${runsUrl}/zone-0` },
};

export const deployed: OperationResource = {
  ...begun(
    accepted(ids.deployment, 'deployService', shopOfMay, '09:32:10'),
    '019df252-b5b0-7c1e-9a2b-6f0e4c1d7a55',
    '09:32:11',
  ),
  state: 'succeeded',
  ended_at: '2026-05-04T09:32:25.000Z',
};

export const hostFlushed: OperationResource = {
  ...begun(
    accepted(ids.flush, 'flushHost', { type: 'host', id: 0, name: 'node-1' }, '09:27:30'),
    '019df24e-7a10-7b3c-8d21-5f60e9a2c4b8',
    '09:27:31',
  ),
  state: 'succeeded',
  ended_at: '2026-05-04T09:28:40.000Z',
};

export const imageMade: OperationResource = {
  ...begun(
    accepted(ids.image, 'createImage', imageData, '09:10:00'),
    '019df23e-6d40-7a52-9c31-4e82b0d7f6a1',
    '09:10:01',
  ),
  state: 'succeeded',
  ended_at: '2026-05-04T09:10:02.000Z',
};

export const appPublished: OperationResource = {
  ...begun(
    accepted(ids.publication, 'publishApp', dataApp, '11:10:00'),
    '019df2a0-2c10-7d4e-8b51-6a72e0c3f9d4',
    '11:10:01',
  ),
  state: 'succeeded',
  ended_at: '2026-05-04T11:10:02.000Z',
};

export const vmDeployed: OperationResource = {
  ...begun(accepted(ids.vm, 'deployVm', buildServer, '09:34:00'), '019df254-6e40-7d02-b8c4-0a93d5e6f711', '09:34:01'),
  state: 'succeeded',
  ended_at: '2026-05-04T09:34:05.000Z',
};

const action = (
  name: string,
  description: string,
  method: 'POST' | 'DELETE',
  path: string,
  command: string,
  body: NextAction['body'] = null,
): NextAction => ({
  name,
  description,
  method,
  href: `${apiRoot}${path}`,
  body,
  command: `arcus ${command}`,
});

export const undeployOrDelete = (service: number): NextAction[] => [
  action(
    'undeploy',
    'End its VMs; the service stays as DONE.',
    'POST',
    `/services/${service}/undeploy`,
    `service undeploy ${service}`,
  ),
  action(
    'delete',
    'Cut the power of its VMs and remove the service.',
    'DELETE',
    `/services/${service}`,
    `service delete ${service}`,
  ),
];

export const terminate: NextAction = action(
  'terminate',
  'End the VM for good.',
  'POST',
  '/vms/3/terminate',
  'vm terminate 3',
);

const step = (
  name: string,
  title: string,
  seconds: [number, number],
  of: { role?: string; vms?: number } = {},
): StepResource => ({
  name,
  title,
  role: of.role ?? null,
  vms: of.vms ?? null,
  attempts: 1,
  state: 'done',
  started_at: `2026-05-04T09:32:${seconds[0]}.000Z`,
  ended_at: `2026-05-04T09:32:${seconds[1]}.000Z`,
  error: null,
  failed_attempt: null,
  next_retry_at: null,
});

export const deployedInFull: OperationDetail = {
  ...deployed,
  moved: null,
  performed: null,
  flushed: null,
  failed_over: null,
  steps: [
    step('beginDeployment', 'plan the deployment', [11, 11]),
    step('startRoles', 'make the VMs of role db and find hosts for them', [11, 12], { role: 'db' }),
    step('bootVms', 'boot 1 VM of role db', [12, 17], { role: 'db', vms: 1 }),
    step('finishRoles', 'settle role db', [17, 18], { role: 'db' }),
    step('startRoles', 'make the VMs of role web and find hosts for them', [18, 19], { role: 'web' }),
    step('bootVms', 'boot 2 VMs of role web', [19, 24], { role: 'web', vms: 2 }),
    step('planRounds', 'see what the failure policy of role web says', [24, 24], { role: 'web' }),
    step('finishRoles', 'settle role web', [24, 25], { role: 'web' }),
    step('endOperation', 'end the operation', [25, 25]),
  ],
  progress: {
    done: 3,
    total: 3,
    unit: 'VMs',
    roles: [
      { name: 'web', state: 'RUNNING', done: 2, total: 2 },
      { name: 'db', state: 'RUNNING', done: 1, total: 1 },
    ],
  },
  eta: null,
  actions: undeployOrDelete(1),
  asked_engine: true,
};

const recovery: OperationResource = {
  ...begun(
    acceptedOnRoles(ids.recovery, 'deployService', secondShop, '09:44:00'),
    '019df25d-9b28-7a90-85f1-d2c60b7e3f44',
    '09:44:01',
  ),
  retry_of: ids.second,
};

export const cancelled: OperationResource = {
  ...recovery,
  state: 'cancelled',
  error: { code: 'cancelled', detail: 'cancelled' },
  cancel_requested: { by: { id: 0, name: 'oneadmin' }, at: '2026-05-04T09:45:30.000Z' },
  ended_at: '2026-05-04T09:45:30.000Z',
};

const answers = [
  ['retry', 'Try the VMs that failed again.'],
  ['skip', 'Go on without the VMs that failed, with those that run.'],
  ['give_up', 'End the operation as failed; what runs goes on running.'],
] as const;

const ofSecond = `/operations/${ids.second}`;
const lost = { detail: 'node-1: there is no image 7', attempts: null, next_retry_at: null };

/** A deployment that has failed and asks what to do. */
export const whySecond: Why = {
  text: 'The deployment of service 2 (shop) waits for your answer, since 09:42:20Z (40 s): 1 of 3 VMs runs. Role web has failed to deploy: 0 of 2 VMs run: VM 6 (web_0_(service_2)): node-1: there is no image 7; VM 7 (web_1_(service_2)): node-1: there is no image 7. Retry the failed VMs, skip them, or give up? You can also cancel the operation, or undeploy or delete the service.',
  resource: { type: 'service', id: 2, name: 'shop', state: 'DEPLOYING' },
  operation: ids.second,
  operation_state: 'waiting_for_you',
  waiting_for: 'your answer',
  failures: [
    { what: 'VM 6 (web_0_(service_2))', ...lost },
    { what: 'VM 7 (web_1_(service_2))', ...lost },
  ],
  actions: [
    ...answers.map(([answer, what]) =>
      action(answer, what, 'POST', `${ofSecond}/answer`, `operation answer ${ids.second} ${answer}`, { answer }),
    ),
    action(
      'cancel',
      'Stop the operation at its next safe point.',
      'POST',
      `${ofSecond}/cancel`,
      `operation cancel ${ids.second}`,
    ),
    ...undeployOrDelete(2),
  ],
  asked_engine: true,
};
