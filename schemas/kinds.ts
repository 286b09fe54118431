import { recordOf } from './common/record-of.js';
import type { ResourceType } from './identity/acl.js';
import type { Network } from './networks/network.js';
import type { NetworkTemplate } from './networks/network-template.js';
import type { SecurityGroup } from './networks/security-group.js';
import type { ServiceTemplate } from './services/service-template.js';
import type { VmTemplate } from './vms/vm-template.js';

/** What there is to say of a kind of thing. What is absent does not hold of it. */
type Row = {
  /** In sentences. */
  one: string;
  several: string;
  /** Of its routes, below the root of the API. */
  path: `/${string}`;
  /** Of MongoDB; also the name of the quota that counts it. */
  collection: string;
  /** As which OpenNebula's ACL rules name it; absent: they give no rights on it. */
  acl?: ResourceType;
  /** The pool of its integer ids, and the first of that; absent: its ids are others. */
  ids?: { pool: string; first: number };
  /** It has an owner, a group and permission bits. `ended`: the state in which it is history, and needs no owner. */
  owned?: { ended: 'DONE' | null };
  /** It is there as soon as it is asked for: one write makes it, edits it or removes it. */
  managed?: true;
  /** The zones of a federation share it: it is the directory's, and so is its pool. */
  federated?: true;
  /** Operations are about it. */
  operated?: true;
  /** Its owner is charged for it, in amounts. */
  charged?: true;
  /** Its owner may have so many. */
  counted?: Counted;
  /** What it takes to edit and to remove one, and to act on operations about it: a right on it, or to be an administrator. */
  edits?: 'manage' | 'admin' | 'administrator';
  /** Within what a name is given once. */
  unique?: 'owner' | 'zone';
  /**
   * Stored as a document that is written whole. By path, what is most of it, and not read where a list is asked for none of
   * the fields that need it; `empty` stands there then.
   */
  document?: Readonly<Record<string, { neededBy: readonly string[]; empty: object | string }>>;
  /** Fields that are stored and never shown. */
  secret?: readonly string[];
};

type Counted = {
  /** Where nobody says otherwise: more than most need, and few enough that one user cannot fill the workers. */
  most: number;
  /** Which of them count, as the end of a sentence; absent: all. */
  those?: string;
  /** What makes them one user's; absent: he owns them. */
  whose?: string;
};

/**
 * Every kind of thing, once. What any room has to know of all kinds it takes from here, in this order. What it does with
 * each of some is a table over their names: a kind that somebody forgot does not compile.
 */
export const kinds = {
  service: {
    one: 'service',
    several: 'services',
    path: '/services',
    collection: 'services',
    acl: 'DOCUMENT',
    ids: { pool: 'document', first: 0 },
    owned: { ended: 'DONE' },
    operated: true,
    charged: true,
    edits: 'manage',
  },
  vm: {
    one: 'VM',
    several: 'VMs',
    path: '/vms',
    collection: 'vms',
    acl: 'VM',
    ids: { pool: 'vm', first: 0 },
    owned: { ended: 'DONE' },
    operated: true,
    charged: true,
    edits: 'manage',
  },
  vm_template: {
    one: 'VM template',
    several: 'VM templates',
    path: '/vm-templates',
    collection: 'vm_templates',
    acl: 'TEMPLATE',
    ids: { pool: 'vm_template', first: 0 },
    owned: { ended: null },
    managed: true,
    counted: { most: 1_000 },
    edits: 'manage',
    unique: 'owner',
    document: { template: { neededBy: ['template', 'warnings'], empty: {} } },
  },
  service_template: {
    one: 'service template',
    several: 'service templates',
    path: '/service-templates',
    collection: 'service_templates',
    acl: 'DOCUMENT',
    ids: { pool: 'document', first: 0 },
    owned: { ended: null },
    managed: true,
    counted: { most: 1_000 },
    edits: 'manage',
    unique: 'owner',
    document: { body: { neededBy: ['body', 'warnings'], empty: {} } },
  },
  host: {
    one: 'host',
    several: 'hosts',
    path: '/hosts',
    collection: 'hosts',
    acl: 'HOST',
    ids: { pool: 'host', first: 0 },
    owned: { ended: null },
    managed: true,
    operated: true,
    edits: 'admin',
    unique: 'zone',
  },
  cluster: {
    one: 'cluster',
    several: 'clusters',
    path: '/clusters',
    collection: 'clusters',
    acl: 'CLUSTER',
    // As in OpenNebula, whose own clusters have the ids below.
    ids: { pool: 'cluster', first: 100 },
    owned: { ended: null },
    managed: true,
    edits: 'admin',
    unique: 'zone',
  },
  datastore: {
    one: 'datastore',
    several: 'datastores',
    path: '/datastores',
    collection: 'datastores',
    acl: 'DATASTORE',
    // As in OpenNebula, whose own datastores have the ids below.
    ids: { pool: 'datastore', first: 100 },
    owned: { ended: null },
    managed: true,
    edits: 'admin',
    unique: 'zone',
  },
  image: {
    one: 'image',
    several: 'images',
    path: '/images',
    collection: 'images',
    acl: 'IMAGE',
    ids: { pool: 'image', first: 0 },
    owned: { ended: null },
    operated: true,
    charged: true,
    edits: 'manage',
    unique: 'owner',
    // An address may hold what signs it.
    secret: ['origin'],
  },
  network: {
    one: 'virtual network',
    several: 'virtual networks',
    path: '/virtual-networks',
    collection: 'networks',
    acl: 'NET',
    ids: { pool: 'vnet', first: 0 },
    owned: { ended: null },
    managed: true,
    charged: true,
    counted: { most: 1_000 },
    edits: 'manage',
    unique: 'owner',
    document: { attributes: { neededBy: ['attributes'], empty: {} } },
  },
  network_template: {
    one: 'network template',
    several: 'network templates',
    path: '/network-templates',
    collection: 'network_templates',
    acl: 'VNTEMPLATE',
    ids: { pool: 'vntemplate', first: 0 },
    owned: { ended: null },
    managed: true,
    counted: { most: 1_000 },
    edits: 'manage',
    unique: 'owner',
    document: { attributes: { neededBy: ['attributes'], empty: {} } },
  },
  security_group: {
    one: 'security group',
    several: 'security groups',
    path: '/security-groups',
    collection: 'security_groups',
    acl: 'SECGROUP',
    // As in OpenNebula, whose own group has the id 0.
    ids: { pool: 'secgroup', first: 100 },
    owned: { ended: null },
    managed: true,
    counted: { most: 1_000 },
    edits: 'manage',
    unique: 'owner',
    document: {},
  },
  market: {
    one: 'marketplace',
    several: 'marketplaces',
    path: '/marketplaces',
    collection: 'marketplaces',
    acl: 'MARKETPLACE',
    // As in OpenNebula, whose own marketplace has the id 0.
    ids: { pool: 'market', first: 100 },
    owned: { ended: null },
    managed: true,
    edits: 'manage',
    unique: 'zone',
  },
  app: {
    one: 'app',
    several: 'apps',
    path: '/marketplace-apps',
    collection: 'marketplace_apps',
    acl: 'MARKETPLACEAPP',
    ids: { pool: 'app', first: 0 },
    owned: { ended: null },
    operated: true,
    edits: 'manage',
    unique: 'owner',
  },
  user: {
    one: 'user',
    several: 'users',
    path: '/users',
    collection: 'users',
    acl: 'USER',
    ids: { pool: 'user', first: 2 },
    federated: true,
    edits: 'manage',
    unique: 'zone',
    secret: ['password_hash', 'looks'],
  },
  group: {
    one: 'group',
    several: 'groups',
    path: '/groups',
    collection: 'groups',
    acl: 'GROUP',
    ids: { pool: 'group', first: 100 },
    federated: true,
    edits: 'admin',
    unique: 'zone',
    secret: ['looks'],
  },
  acl: {
    one: 'rule',
    several: 'rules',
    path: '/acls',
    collection: 'acls',
    acl: 'ACL',
    ids: { pool: 'acl', first: 0 },
    federated: true,
    edits: 'administrator',
  },
  token: {
    one: 'token',
    several: 'tokens',
    path: '/tokens',
    collection: 'tokens',
    ids: { pool: 'token', first: 0 },
    federated: true,
    counted: { most: 100, those: 'that have not expired' },
    secret: ['hash'],
  },
  operation: {
    one: 'operation',
    several: 'operations',
    path: '/operations',
    collection: 'operations',
    counted: { most: 200, those: 'that have not ended', whose: 'those that he has asked for' },
    edits: 'manage',
    secret: ['fingerprint', 'idempotency_key'],
  },
  zone: {
    one: 'zone',
    several: 'zones',
    // A zone is this Arcus itself: what is shown of it is what a check of its consistency came to.
    path: '/consistency-checks',
    collection: 'zones',
    acl: 'ZONE',
    operated: true,
    edits: 'administrator',
  },
} as const satisfies Readonly<Record<string, Row>>;

type Rows = typeof kinds;
export type Kind = keyof Rows;

/** What there is of each of these: one that is forgotten is named where this is asked for. */
type OfEach<K extends Kind, T extends Record<K, object>> = T;

/** The kinds of whose rows this holds. */
type KindWith<Fields> = { [K in Kind]: Rows[K] extends Fields ? K : never }[Kind];

export type OwnedKind = KindWith<{ owned: object }>;
export type OperatedKind = KindWith<{ operated: true }>;
export type ManagedKind = OwnedKind & KindWith<{ managed: true }>;
export type DocumentKind = OwnedKind & KindWith<{ document: object; unique: 'owner' }>;
/** Whose names are given once, to an owner or in a zone. */
export type UniqueKind = KindWith<{ unique: string }>;
export type ChargedKind = KindWith<{ charged: true }>;
type CountedRow = KindWith<{ counted: object }>;
/** What is counted of each user, as quotas name it: by its collection. */
export type CountedKind = Rows[CountedRow]['collection'];
/** What is stored of each that is a document. */
export type Documents = OfEach<
  DocumentKind,
  {
    vm_template: VmTemplate;
    service_template: ServiceTemplate;
    network: Network;
    network_template: NetworkTemplate;
    security_group: SecurityGroup;
  }
>;
type PooledKind = KindWith<{ ids: object }>;
type FederatedKind = KindWith<{ federated: true; ids: object }>;
/** A pool of ids that zones share, and one that each zone has for itself. Services and service templates share one, as documents do in OpenNebula. */
export type FederatedPool = Rows[FederatedKind]['ids']['pool'];
export type Pool = Exclude<Rows[PooledKind]['ids']['pool'], FederatedPool>;

const isKind = (name: string): name is Kind => Object.hasOwn(kinds, name);
export const kindNames: readonly Kind[] = Object.keys(kinds).filter(isKind);

/** The row of a kind, of which not every field need be there. */
export const rowOf = (kind: Kind): Row => kinds[kind];

export const ownedKinds = kindNames.filter((kind): kind is OwnedKind => rowOf(kind).owned !== undefined);
export const operatedKinds = kindNames.filter((kind): kind is OperatedKind => rowOf(kind).operated === true);
export const isOperated = (kind: Kind): kind is OperatedKind => operatedKinds.some((one) => one === kind);
export const managedKinds = ownedKinds.filter((kind): kind is ManagedKind => rowOf(kind).managed === true);
export const documentKinds = ownedKinds.filter((kind): kind is DocumentKind => rowOf(kind).document !== undefined);
export const chargedKinds = kindNames.filter((kind): kind is ChargedKind => rowOf(kind).charged === true);
const countedRows = kindNames.filter((kind): kind is CountedRow => rowOf(kind).counted !== undefined);
const pooledKinds = kindNames.filter((kind): kind is PooledKind => rowOf(kind).ids !== undefined);

/** What quotas count, in the order in which they are told. */
export const countedKinds: readonly CountedKind[] = countedRows.map((kind) => kinds[kind].collection);

/** Those that zones do not share. */
export type ZoneCounted = Exclude<CountedKind, Rows[FederatedKind]['collection']>;
const federatedCollections: readonly string[] = kindNames
  .filter((kind) => rowOf(kind).federated)
  .map((kind) => kinds[kind].collection);
export const zoneCounted = countedKinds.filter((name): name is ZoneCounted => !federatedCollections.includes(name));
/** What of an owner's quotas counts a kind; null: none does. */
export const countOf = (kind: OwnedKind): ZoneCounted | null =>
  zoneCounted.find((name) => name === kinds[kind].collection) ?? null;

/** What quotas say of what they count. */
export const countedAs = recordOf(countedKinds, (name): { one: string; several: string } & Counted => {
  const kind = countedRows.find((one) => kinds[one].collection === name);
  if (kind === undefined) throw new Error(`nothing is kept in ${name}`);
  return { one: kinds[kind].one, several: kinds[kind].several, ...kinds[kind].counted };
});

type AnyPool = Rows[PooledKind]['ids']['pool'];
const kindsIn = (pool: AnyPool) => pooledKinds.filter((kind) => kinds[kind].ids.pool === pool);
const firstOf = (pool: AnyPool): number => Math.max(...kindsIn(pool).map((kind) => kinds[kind].ids.first));
const isFederated = (pool: AnyPool): pool is FederatedPool => kindsIn(pool).some((kind) => rowOf(kind).federated);
const isOfZone = (pool: AnyPool): pool is Pool => !isFederated(pool);
const allPools = [...new Set(pooledKinds.map((kind): AnyPool => kinds[kind].ids.pool))];

/** The pools of a zone: where each begins, and the collections that have their ids from it. */
export const pools = allPools.filter(isOfZone).map((pool) => ({
  pool,
  first: firstOf(pool),
  collections: kindsIn(pool).map((kind) => kinds[kind].collection),
}));
/** Where those begin that zones share. */
export const federatedFirst = recordOf(allPools.filter(isFederated), firstOf);
