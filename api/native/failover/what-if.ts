import { ClusterWhatIf, HostWhatIf, WhatIfQuery } from '../../../schemas/hosts/what-if.js';
import { edits } from '../needs.js';
import { ById, NoQuery, noBody, type Route, route, shows } from '../route.js';

const counts = { starts: 0, waits: 0, ends: 0, undeployed: 0, stays: 0 };

const nowhere = 'the only host takes no VMs: it does not answer (ERROR)';

const description =
  'By the plan that a failover would make now: the same requirements, ties of roles, datastores and room. Nothing is done of it, and what else is placed meanwhile changes it.';

export const whatIfRoutes: readonly Route[] = [
  route({
    id: 'showHostWhatIf',
    method: 'get',
    path: '/hosts/{id}/what-if',
    tag: 'Hosts',
    summary: 'Tell what would become of the VMs of a host if it failed now',
    needs: [edits('host')],
    description,
    params: ById,
    query: WhatIfQuery,
    body: noBody,
    answer: shows(HostWhatIf),
    problems: ['not_found'],
    examples: [
      {
        params: { id: '0' },
        query: { action: 'recreate' },
        answer: {
          host: { id: 0, name: 'node-1' },
          action: 'recreate',
          stopped: false,
          text: 'If node-1 failed now: 4 VMs would wait.',
          ...{ ...counts, waits: 4 },
          vms: [
            { id: 0, name: 'db_0_(service_1)' },
            { id: 3, name: 'build-server' },
            { id: 1, name: 'web_0_(service_1)' },
            { id: 2, name: 'web_1_(service_1)' },
          ].map((vm) => ({ ...vm, outcome: 'waits' as const, host: null, why: nowhere })),
        },
      },
    ],
    handle: ({ hosts }, { caller, params, query }) => hosts.whatIf(caller, params.id, query),
  }),
  route({
    id: 'showClusterWhatIf',
    method: 'get',
    path: '/clusters/{id}/what-if',
    tag: 'Clusters',
    summary: 'Tell whether a cluster can do without any one of its hosts',
    needs: [edits('cluster')],
    description: `${description} Each host is thought to fail by itself (N−1), with what its policy does, or recreate.`,
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(ClusterWhatIf),
    problems: ['not_found'],
    examples: [
      {
        params: { id: '100' },
        answer: {
          cluster: { id: 100, name: 'production' },
          text: 'If any one host of cluster production failed now, VMs would wait of: node-1 (4 VMs).',
          survives: false,
          hosts: [
            {
              ...{
                id: 0,
                name: 'node-1',
                state: 'MONITORED',
                missed: 0,
                policy: null,
                armed: null,
                expected_recovery: null,
              },
              ...{ operation: null, ...counts, waits: 4 },
            },
          ],
        },
      },
    ],
    handle: ({ clusters }, { caller, params }) => clusters.whatIf(caller, params.id),
  }),
];
