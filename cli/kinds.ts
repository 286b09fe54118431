import type { Client } from '../client/client.js';
import type { Kind, ManagedKind } from '../schemas/kinds.js';
import type { DocumentKind } from './apply/document-kind.js';
import { haCommands } from './failover/ha.js';
import { clusterCommands } from './hosts/cluster.js';
import { clusterDocuments, clusters } from './hosts/cluster-resource.js';
import { hostCommands, hostDocuments, hosts } from './hosts/host.js';
import { aclCommands } from './identity/acl.js';
import { groupCommands, groupDocuments } from './identity/group.js';
import { quotaCommands } from './identity/quota.js';
import { quotaDocuments } from './identity/quota-documents.js';
import { tokenCommands } from './identity/token.js';
import { userCommands } from './identity/user.js';
import { appCommands, apps } from './market/app.js';
import { marketCommands, marketDocuments } from './market/market.js';
import { networkCommands } from './networks/network.js';
import { networkDocuments } from './networks/network-resource.js';
import { networkTemplateCommands, networkTemplateDocuments } from './networks/network-template.js';
import { securityGroupCommands, securityGroupDocuments } from './networks/security-group.js';
import { operationCommands } from './operations/operation.js';
import { actionLeaf } from './scaling/action.js';
import { policyLeaf } from './scaling/policy.js';
import { roleLeaf } from './scaling/role.js';
import { scaleLeaf } from './scaling/scale.js';
import { scheduleLeaf } from './scaling/schedule.js';
import { serviceCommands, services } from './services/service.js';
import { serviceTemplateCommands, serviceTemplateDocuments } from './services/service-template.js';
import type { Leaf } from './shell/command.js';
import { contextCommands } from './shell/context.js';
import { nounOf } from './shell/noun-of.js';
import { resolve } from './shell/resource.js';
import { datastoreCommands, datastoreDocuments } from './storage/datastore.js';
import { imageCommands, images } from './storage/image.js';
import { imageDocuments } from './storage/image-documents.js';
import { secretsCommands } from './storage/secrets.js';
import { vmCommands, vms } from './vms/vm.js';
import { vmTemplateCommands, vmTemplateDocuments } from './vms/vm-template.js';

/** Things that commands of subsystems before theirs are about, too. */
const find = {
  cluster: (client: Client, name: string) => resolve(client, clusters, name, { whole: true }),
  service: (client: Client, name: string | undefined) => resolve(client, services, name),
  vm: (client: Client, name: string | undefined) => resolve(client, vms, name),
  host: (client: Client, name: string | undefined) => resolve(client, hosts, name),
  image: (client: Client, name: string | undefined) => resolve(client, images, name),
  app: (client: Client, name: string | undefined) => resolve(client, apps, name),
};

type Noun = { noun: string; summary: string; leaves: readonly Leaf[] };
type NounOf<K extends Kind> = Noun & { kind: K };

const noun = <K extends Kind>(kind: K, summary: string, leaves: readonly Leaf[]): NounOf<K> => ({
  ...nounOf(kind),
  kind,
  summary,
  leaves,
});

/** What can be told of each kind of thing and done with it, as the help has it. A zone is checked by `fsck`. */
const ofKinds: { [K in Exclude<Kind, 'zone'>]: NounOf<K> } = {
  service: noun('service', 'Services: applications made of many VMs', [
    ...serviceCommands,
    roleLeaf,
    scaleLeaf,
    policyLeaf,
    scheduleLeaf,
    actionLeaf,
  ]),
  service_template: noun('service_template', 'Descriptions from which services are deployed', serviceTemplateCommands),
  vm: noun('vm', 'Virtual machines', vmCommands),
  vm_template: noun('vm_template', 'Descriptions from which VMs are made', vmTemplateCommands),
  host: noun('host', 'Hosts that VMs run on', hostCommands),
  cluster: noun('cluster', 'Hosts that belong together', clusterCommands),
  datastore: noun('datastore', 'Where images, disks and files are kept', datastoreCommands),
  image: noun('image', 'Disks and files that VMs are made of', imageCommands),
  network: noun('network', 'Virtual networks, whose addresses VMs are given', networkCommands),
  network_template: noun(
    'network_template',
    'Descriptions from which virtual networks are made',
    networkTemplateCommands,
  ),
  security_group: noun('security_group', 'What may reach VMs, and what they may send', securityGroupCommands),
  market: noun('market', 'Marketplaces, where apps are found and published', marketCommands),
  app: noun('app', 'Apps of marketplaces, of which images are made', appCommands),
  operation: noun('operation', 'What is being done, and what has been', operationCommands(find)),
  user: noun('user', 'People and programs that sign in', userCommands),
  group: noun('group', 'Users who share, and what they may create', groupCommands),
  acl: noun('acl', "Rules that give rights, in OpenNebula's grammar", aclCommands(find.cluster)),
  token: noun('token', 'What signs in in the place of a password', tokenCommands),
};

/** The first words of commands. */
export const nouns: readonly Noun[] = [
  ...Object.values(ofKinds),
  { noun: 'ha', summary: 'What becomes of VMs when hosts fail', leaves: haCommands },
  { noun: 'secrets', summary: 'Keys with which secrets are sealed', leaves: secretsCommands },
  { noun: 'quota', summary: 'How much users and groups may have, and have', leaves: quotaCommands },
  { noun: 'context', summary: 'Servers that this command line knows, and who asks there', leaves: contextCommands },
];

/** What documents of `apply` can make, in the order in which it is made: what others name comes first. */
const applied: Record<ManagedKind | 'image' | 'group' | 'group_quota' | 'user_quota', DocumentKind> = {
  group: groupDocuments,
  cluster: clusterDocuments,
  host: hostDocuments,
  datastore: datastoreDocuments,
  image: imageDocuments,
  // Networks name them, and they may name networks: what is made of both has to be made in two goes.
  security_group: securityGroupDocuments,
  network: networkDocuments,
  network_template: networkTemplateDocuments,
  market: marketDocuments,
  // They may name single datastores, images and networks.
  group_quota: quotaDocuments('group'),
  user_quota: quotaDocuments('user'),
  vm_template: vmTemplateDocuments,
  service_template: serviceTemplateDocuments,
};
export const kinds: Readonly<Record<string, DocumentKind>> = applied;

/** What documents may name: also what they cannot make, having no place for a password. */
export const nameable: Readonly<Record<string, Pick<DocumentKind, 'noun' | 'path'>>> = {
  ...kinds,
  user: nounOf('user'),
};
