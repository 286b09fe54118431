import { ClusterResource, CreateCluster } from '../../schemas/hosts/cluster.js';
import type { DocumentKind } from '../apply/document-kind.js';
import { permissionsText } from '../identity/ownership.js';
import { attributesSection } from '../shell/attribute.js';
import { nounOf } from '../shell/noun-of.js';
import { pairs } from '../shell/output.js';
import type { Resource } from '../shell/resource.js';
import { policyText } from './ha.js';

const kept = (amount: string | number | null | undefined): string => String(amount ?? 'nothing');

export const clusters: Resource<typeof ClusterResource, typeof ClusterResource> = {
  ...nounOf('cluster'),
  item: ClusterResource,
  whole: ClusterResource,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'NAME', text: ({ name }) => name, cut: true },
    { title: 'HOSTS', text: ({ hosts }) => String(hosts.length), right: true },
    { title: 'KEPT BACK', text: ({ reserved }) => `${kept(reserved.cpu)} / ${kept(reserved.memory)}` },
  ],
  text: (cluster) =>
    [
      `CLUSTER ${cluster.id} INFORMATION`,
      pairs([
        ['ID', String(cluster.id)],
        ['NAME', cluster.name],
        ['USER', cluster.uname],
        ['GROUP', cluster.gname],
        ['HOSTS', cluster.hosts.join(', ') || '-'],
        ['HA', policyText(cluster.ha)],
        ['KEPT BACK CPU', kept(cluster.reserved.cpu)],
        ['KEPT BACK MEMORY', kept(cluster.reserved.memory)],
      ]),
      '',
      permissionsText(cluster),
      ...attributesSection(cluster.attributes),
    ].join('\n'),
};

/** A cluster in a document of `apply`. */
export const clusterDocuments: DocumentKind = {
  ...nounOf('cluster'),
  wish: CreateCluster,
  answer: ClusterResource,
  asDocument: (object) => ClusterResource.parse(object),
  update: 'PATCH',
  merges: ['attributes', 'reserved'],
  anyCase: ['attributes'],
};
