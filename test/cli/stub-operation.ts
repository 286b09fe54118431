import type { OperationDetail } from '../../schemas/operations/operation-resource.js';

export const operationId = '01KAJ3V5Q0F8T4X2M7N9P6R1SC';

/** A deployment of three roles, half-way, of which one step is tried again. */
export const deployment = (changes: Partial<OperationDetail> = {}): OperationDetail => ({
  id: operationId,
  type: 'deployService',
  action: null,
  state: 'running',
  resource: { type: 'service', id: 12, name: 'web', href: '/api/v1/services/12' },
  role: null,
  requester: { id: 0, name: 'oneadmin' },
  waiting_for: null,
  error: null,
  question: null,
  cancel_requested: null,
  decided_by: null,
  retry_of: null,
  workflow: { id: 'service-12', run_id: 'r', url: 'http://temporal.test/namespaces/arcus/workflows/service-12' },
  created_at: '2026-11-22T14:00:00.000Z',
  started_at: '2026-11-22T14:00:00.100Z',
  ended_at: null,
  moved: null,
  performed: null,
  flushed: null,
  failed_over: null,
  steps: [
    {
      name: 'startRoles',
      title: 'start role db',
      role: 'db',
      vms: 1,
      attempts: 1,
      state: 'done',
      started_at: '2026-11-22T14:00:00.120Z',
      ended_at: '2026-11-22T14:00:00.132Z',
      error: null,
      failed_attempt: null,
      next_retry_at: null,
    },
    {
      name: 'bootVms',
      title: 'boot 5 VMs of role web',
      role: 'web',
      vms: 5,
      attempts: 3,
      state: 'running',
      started_at: '2026-11-22T14:00:01.000Z',
      ended_at: null,
      error: {
        code: 'backend_unavailable',
        detail: 'The simulated hypervisor did not answer for host-1: connection refused',
      },
      failed_attempt: 3,
      next_retry_at: '2026-11-22T14:00:12.000Z',
    },
  ],
  progress: {
    done: 6,
    total: 10,
    unit: 'VMs',
    roles: [
      { name: 'db', state: 'RUNNING', done: 1, total: 1 },
      { name: 'web', state: 'DEPLOYING', done: 5, total: 9 },
    ],
  },
  eta: { at: '2026-11-22T14:00:14.000Z', typical_seconds: 12.3, runs: 5 },
  actions: [
    {
      name: 'cancel',
      description: 'Stop the operation at its next safe point.',
      method: 'POST',
      href: `/api/v1/operations/${operationId}/cancel`,
      body: null,
      command: `arcus operation cancel ${operationId}`,
    },
  ],
  asked_engine: true,
  ...changes,
});

/** The same when it asks a person what to do. */
export const asking = (): OperationDetail =>
  deployment({
    state: 'waiting_for_you',
    question: {
      text: 'VM 7 of role web cannot be deployed: out of memory. Try it again, go on without it, or give up?',
      roles: ['web'],
      answers: ['retry', 'skip', 'give_up'],
      asked_at: '2026-11-22T14:00:09.000Z',
    },
    eta: null,
    actions: [
      answer('retry', 'Try the VMs that failed again.'),
      answer('skip', 'Go on without the VMs that failed, with those that run.'),
      answer('give_up', 'End the operation as failed; what runs goes on running.'),
      {
        name: 'cancel',
        description: 'Stop the operation at its next safe point.',
        method: 'POST',
        href: `/api/v1/operations/${operationId}/cancel`,
        body: null,
        command: `arcus operation cancel ${operationId}`,
      },
    ],
  });

const answer = (name: string, description: string): OperationDetail['actions'][number] => ({
  name,
  description,
  method: 'POST',
  href: `/api/v1/operations/${operationId}/answer`,
  body: { answer: name },
  command: `arcus operation answer ${operationId} ${name}`,
});
