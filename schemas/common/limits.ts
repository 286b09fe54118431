/** What a bound counts. Bytes are those of JSON in UTF-8, without blanks between its tokens, unless the bound says otherwise. */
type LimitUnit =
  | 'bytes'
  | 'characters'
  | 'levels'
  | 'items'
  | 'attributes'
  | 'values'
  | 'findings'
  | 'groups'
  | 'roles'
  | 'parents'
  | 'policies'
  | 'rules'
  | 'users'
  | 'snapshots'
  | 'seconds'
  | 'VMs'
  | 'addresses'
  | 'MB';
type Limit = { most: number; unit: LimitUnit; of: string; why: string };

const KiB = 1024;

/**
 * THE table of what anything may have at most, in bytes and in number. Schemas, edits, lists, the engine's payloads and
 * docs/limits.md go by it. What a request leads to counts, not what it sends: an object is measured as it would be after
 * the edit. What is stored already and is larger may be read, deleted, and edited as long as it does not grow.
 */
export const limits = {
  // Requests and answers.
  body: {
    most: 1024 * KiB,
    unit: 'bytes',
    of: 'a body, as it is after decompression',
    why: 'It is read, parsed and checked in one go.',
  },
  bodyDepth: { most: 64, unit: 'levels', of: 'a body', why: 'Parsers, checks and BSON recurse.' },
  bodyValues: {
    most: 20_000,
    unit: 'values',
    of: 'a body in JSON: texts, numbers, lists and objects at every level',
    why: 'Each costs work when it is checked, however short it is.',
  },
  bodyMembers: {
    most: 4_000,
    unit: 'values',
    of: 'one object or one list in a body in JSON',
    why: 'Twice as many as anything may have; an object of many names is dear to read.',
  },
  head: {
    most: 128 * KiB,
    unit: 'bytes',
    of: 'the first line and the headers of a request together',
    why: 'Node keeps them in memory. Its own bound would cut off addresses that are valid.',
  },
  address: {
    most: 64 * KiB,
    unit: 'characters',
    of: 'the address of a request, its query included',
    why: 'It is parsed.',
  },
  query: {
    most: 1_000,
    unit: 'characters',
    of: '`filter`, `fields` and `cursor` of a list, each',
    why: 'They are parsed.',
  },
  pageItems: { most: 1_000, unit: 'items', of: 'a page of a list', why: 'A page is one answer.' },
  pageBytes: {
    most: 4096 * KiB,
    unit: 'bytes',
    of: 'a page of a list, as stored; it ends before the item that would go beyond, and has one at least',
    why: 'A page is in the api’s memory some four times: as it is stored, as objects, as what is shown, and as text.',
  },
  findings: { most: 100, unit: 'findings', of: '`errors` of a problem', why: 'More than that nobody reads.' },
  quoted: {
    most: 500,
    unit: 'characters',
    of: 'what a backend says, in a reason, an error or a note; a longer text is cut',
    why: 'It is kept with each VM, and goes through the engine’s history.',
  },

  backendAnswer: {
    most: 16_384 * KiB,
    unit: 'bytes',
    of: 'the answer of a backend to one call',
    why: 'It is read into memory: a host of 10,000 VMs says some 2 MB.',
  },
  stays: {
    most: 50,
    unit: 'items',
    of: 'stays on hosts in the history of a VM; the oldest go',
    why: 'Each placement adds one, and a VM may be made anew for ever.',
  },
  snapshots: {
    most: 16,
    unit: 'snapshots',
    of: 'what is kept of one VM with its domain',
    why: 'Each has all of its memory.',
  },
  roleReason: {
    most: 1_000,
    unit: 'characters',
    of: 'what a role, or a line of a service’s log, says of failures; a longer text is cut',
    why: 'A service has up to 1,000 roles, and is one document.',
  },
  operationReason: {
    most: 4_000,
    unit: 'characters',
    of: 'what an operation or a step says of its failure; a longer text is cut',
    why: 'It goes through the engine’s history, which takes 2 MiB at a time.',
  },

  // What every kind of thing may have.
  name: { most: 128, unit: 'characters', of: 'the name of an object or a role', why: 'OpenNebula’s bound for names.' },
  description: {
    most: 1_000,
    unit: 'characters',
    of: 'a description, such as that of an image',
    why: 'Lists read it.',
  },

  // VM templates and what is made of them.
  vmTemplate: {
    most: 64 * KiB,
    unit: 'bytes',
    of: 'the attributes of a VM template, and those that a VM is made of: the template, with a role’s `vm_template_contents` or a request’s `template` over it',
    why: 'Each VM carries a copy: 1,000 of the largest are 64 MB.',
  },
  userTemplate: {
    most: 128 * KiB,
    unit: 'bytes',
    of: 'the user template of a VM',
    why: 'It begins as part of what the VM is made of, and guests write into it: twice as much as it can begin with.',
  },
  attributes: {
    most: 2_000,
    unit: 'attributes',
    of: 'a VM template or a user template: names at every level, and items of lists',
    why: 'Each costs work, however short it is.',
  },
  attributeDepth: {
    most: 16,
    unit: 'levels',
    of: 'the value of an attribute of a VM template or a user template',
    why: 'OpenNebula knows two; what reads them recurses.',
  },
  attributeName: {
    most: 128,
    unit: 'characters',
    of: 'the name of an attribute',
    why: 'OpenNebula’s bound for names.',
  },
  expression: {
    most: 2_000,
    unit: 'characters',
    of: 'a requirement or rank expression, and the expression or target of an elasticity policy',
    why: 'It is evaluated for each host, or each VM, again and again.',
  },

  nics: { most: 32, unit: 'items', of: 'the NICs of a VM', why: 'Steps read them with the VM.' },
  disks: { most: 26, unit: 'items', of: 'the disks of a VM', why: 'They are called vda to vdz.' },
  diskSize: {
    most: 16_777_216,
    unit: 'MB',
    of: 'a volatile disk',
    why: 'Of what a host has for disks nobody keeps account yet: beyond it, a slip of the finger is likelier than a wish.',
  },
  diskSnapshots: { most: 32, unit: 'items', of: 'the snapshots of a disk', why: 'Each makes reading it slower.' },

  // Images.
  packings: {
    most: 3,
    unit: 'levels',
    of: 'what an image is packed in, one in another',
    why: 'A tar in a gzip is usual; more is made to be a burden.',
  },
  besideFile: {
    most: 8 * 1024 * KiB,
    unit: 'bytes',
    of: 'what is in a tar beside its one file: directories, long names, and the zeros at its end',
    why: 'It is unpacked, too, and counts as nothing that is kept: of a few packed bytes it may be as much as anybody likes.',
  },
  redirects: {
    most: 5,
    unit: 'items',
    of: 'redirects that are followed when an image is fetched',
    why: 'Each is another server; what needs more goes in circles.',
  },
  silence: {
    most: 60,
    unit: 'seconds',
    of: 'silence of a server from which an image is fetched',
    why: 'What lives says something; after it, the fetch goes on from where it was, anew.',
  },
  slowest: {
    most: 64 * KiB,
    unit: 'bytes',
    of: 'what a server may take as long for as it may be silent',
    why: 'One that gives a byte now and then would keep a place at work from all others for days.',
  },
  imagesBeingMade: {
    most: 8,
    unit: 'items',
    of: 'the images of a user that are being made at a time',
    why: 'Fewer than a worker makes at a time: nobody keeps it from all others.',
  },
  uploadIdle: {
    most: 3_600,
    unit: 'seconds',
    of: 'the time in which an upload gets no further, by 64 KiB or to its end',
    why: 'It is charged, and nobody may come back for it.',
  },
  checkedChunk: {
    most: 8 * 1024 * KiB,
    unit: 'bytes',
    of: 'a piece of an upload that has a checksum of its own',
    why: 'It lies in memory until it is found to be right.',
  },
  // Marketplaces.
  appTags: { most: 32, unit: 'items', of: 'the tags of an app', why: 'They stand in it.' },
  appParts: {
    most: 64,
    unit: 'items',
    of: 'the images of an app',
    why: 'They are sent one after the other by one operation, and stand in the app.',
  },
  appExports: {
    most: 100,
    unit: 'items',
    of: 'exports of one app at a time',
    why: 'They stand in it, and keep it from being deleted.',
  },
  appsBeingPublished: {
    most: 8,
    unit: 'items',
    of: 'the apps of a user that are being published at a time',
    why: 'Fewer than a worker sends at a time: nobody keeps it from all others.',
  },
  marketPart: {
    most: 256,
    unit: 'MB',
    of: 'a part in which an app is sent to a marketplace',
    why: 'Three of them lie in the memory of a worker.',
  },
  catalogueBytes: {
    most: 64 * 1024 * KiB,
    unit: 'bytes',
    of: 'the catalogue of a marketplace',
    why: 'It is parsed in one go.',
  },
  catalogueApps: {
    most: 20_000,
    unit: 'items',
    of: 'the apps of a catalogue',
    why: 'Each is compared with what is known at every look.',
  },
  // Networks.
  addressRanges: { most: 64, unit: 'items', of: 'the address ranges of a network', why: 'They stand in it.' },
  rangeSize: {
    most: 65_536,
    unit: 'addresses',
    of: 'an address range',
    why: 'Where nearly all are taken, those that are free are looked for among all.',
  },
  reservation: {
    most: 4_096,
    unit: 'addresses',
    of: 'what is reserved of a network at once',
    why: 'All of them are taken in one transaction.',
  },
  securityRules: {
    most: 100,
    unit: 'rules',
    of: 'the rules of a security group',
    why: 'Each packet goes through those of its NIC.',
  },
  portRange: { most: 256, unit: 'characters', of: 'the ports of a rule', why: 'They stand in it.' },
  securityGroups: {
    most: 16,
    unit: 'items',
    of: 'the security groups that a NIC or a network names',
    why: 'Each packet goes through their rules.',
  },
  securityGroupUsers: {
    most: 100,
    unit: 'VMs',
    of: 'the VMs that a security group is shown with',
    why: 'All of an installation may have one.',
  },
  quotaEntries: {
    most: 100,
    unit: 'items',
    of: 'limits of one user or group on single networks, datastores and images, each',
    why: 'All are read whenever something is charged.',
  },
  quotaShown: {
    most: 100,
    unit: 'items',
    of: 'networks, datastores and images, each, that a quota shows without a limit on them',
    why: 'Somebody may use thousands of images.',
  },
  networkAttributes: {
    most: 100,
    unit: 'attributes',
    of: 'the attributes of a network',
    why: 'Each guest on it is told of them.',
  },
  networkAttributeText: {
    most: 1_024,
    unit: 'characters',
    of: 'an attribute of a network',
    why: 'As for their number.',
  },

  // Hosts and clusters.
  context: {
    most: 256 * KiB,
    unit: 'characters',
    of: 'what a guest is told by its CONTEXT, when all that it refers to stands there',
    why: 'A text may refer to the same thing many times.',
  },
  contextFiles: {
    most: 32,
    unit: 'items',
    of: 'the files that a guest is to get (FILES_DS)',
    why: 'Each is copied whenever the VM starts.',
  },
  contextFileMb: {
    most: 256,
    unit: 'MB',
    of: 'the files that a guest is to get, together',
    why: 'As for their number.',
  },
  bootFileMb: {
    most: 256,
    unit: 'MB',
    of: 'a kernel, and a RAM disk, that a VM is booted by',
    why: 'Each is copied whenever the VM starts, and is in the memory of its guest.',
  },
  screenTokens: {
    most: 16,
    unit: 'items',
    of: 'what opens screens of VMs, of one user, that has not been used; of more the oldest are worth nothing',
    why: 'Each is good for a minute.',
  },
  screens: {
    most: 16,
    unit: 'items',
    of: 'the screens of VMs that a user has open at one API process',
    why: 'Each is a connection to a host, or an ssh.',
  },
  screenMessage: {
    most: 1_024 * KiB,
    unit: 'bytes',
    of: 'a message of a WebSocket',
    why: 'It is read into memory. Keys and pointers are some bytes; a clipboard is what may be long.',
  },
  userAttributeBytes: {
    most: 64 * KiB,
    unit: 'bytes',
    of: 'the attributes of a user',
    why: 'They are read for each VM of the user that starts.',
  },
  userAttributes: { most: 200, unit: 'attributes', of: 'the attributes of a user', why: 'As for their bytes.' },
  userAttributeText: {
    most: 16 * KiB,
    unit: 'characters',
    of: 'an attribute of a user',
    why: 'Twice the longest key that anybody signs in with.',
  },
  hostAttributes: {
    most: 64 * KiB,
    unit: 'bytes',
    of: 'the attributes of a host, or of a cluster',
    why: 'Each placement reads those of all hosts.',
  },
  hostAttributeCount: {
    most: 200,
    unit: 'attributes',
    of: 'the attributes of a host, or of a cluster',
    why: 'As for their bytes.',
  },
  hostAttributeText: {
    most: 1_024,
    unit: 'characters',
    of: 'a text in an attribute of a host or a cluster',
    why: 'It is compared for each VM.',
  },
  hostAttributeList: {
    most: 100,
    unit: 'values',
    of: 'a list in an attribute of a host or a cluster',
    why: 'It is compared for each VM.',
  },

  // Storage.
  datastoreClusters: {
    most: 100,
    unit: 'items',
    of: 'the clusters of a datastore',
    why: 'Each is looked at when rights are.',
  },
  datastoreSize: {
    most: 1_099_511_627_776,
    unit: 'MB',
    of: 'the limit of a datastore',
    why: 'Beyond it, a slip of the finger is likelier than a wish.',
  },
  datastoreDirectory: {
    most: 1_000,
    unit: 'characters',
    of: 'the directory of a datastore on another machine',
    why: 'Paths of its images begin with it.',
  },
  hostKeys: {
    most: 10,
    unit: 'items',
    of: 'the keys by which the machine of a datastore is known',
    why: 'sshd has one of each kind, and another of each while it is changed.',
  },
  sshKey: { most: 16_384, unit: 'characters', of: 'a key for ssh', why: 'Those of RSA with 16,384 bits have fewer.' },
  imageSize: {
    most: 16_777_216,
    unit: 'MB',
    of: 'an image',
    why: 'As of a volatile disk.',
  },
  imageSource: { most: 2_000, unit: 'characters', of: 'a path or an address of an image', why: 'It is opened.' },
  imageAttributes: {
    most: 100,
    unit: 'attributes',
    of: 'the attributes of an image',
    why: 'Each VM that uses it may be told of them.',
  },
  imageAttributeText: {
    most: 1_024,
    unit: 'characters',
    of: 'an attribute of an image',
    why: 'As for their number.',
  },
  imageClones: {
    most: 1_000,
    unit: 'items',
    of: 'the images that are made of one at a time',
    why: 'It names them.',
  },

  // Services.
  serviceTemplate: {
    most: 512 * KiB,
    unit: 'bytes',
    of: 'a service template, and what a service is made of: after values have taken the places of `$NAME`',
    why: 'The service carries a copy, which each step of its roles reads: 50 roles of 10 KiB each.',
  },
  roles: {
    most: 1_000,
    unit: 'roles',
    of: 'the roles of a service',
    why: 'Each has steps of its own in the engine’s history.',
  },
  vmsOfService: {
    most: 10_000,
    unit: 'VMs',
    of: 'the VMs of a service',
    why: 'Beyond it, a slip of the finger is likelier than a wish.',
  },
  namedVms: {
    most: 1_000,
    unit: 'VMs',
    of: 'the VMs that are named to go when a role is made smaller',
    why: 'Of more, all but some few go: then those are protected.',
  },
  parents: { most: 1_000, unit: 'parents', of: 'the parents of one role', why: 'There are no more roles.' },
  parentsInAll: {
    most: 10_000,
    unit: 'parents',
    of: 'the parents of all roles of a service',
    why: 'Its order is worked out from them.',
  },
  affinities: {
    most: 1_000,
    unit: 'roles',
    of: '`affinity`, and `anti_affinity`, of one role',
    why: 'There are no more roles.',
  },
  affinitiesInAll: {
    most: 5_000,
    unit: 'roles',
    of: '`affinity` and `anti_affinity` of all roles of a service',
    why: 'Which VMs go together is worked out from them.',
  },
  tiesOfVms: {
    most: 32 * 1024 * KiB,
    unit: 'bytes',
    of: 'names of roles that the VMs of a service carry together, for `affinity` and `anti_affinity`',
    why: 'Each VM has those of the roles that it goes with, and steps read them.',
  },
  revisions: {
    most: 100,
    unit: 'items',
    of: 'what a service template has been before, revision by revision; the oldest go',
    why: 'Each is a template of its own, and each change adds one.',
  },
  policies: {
    most: 50,
    unit: 'policies',
    of: '`elasticity_policies`, and `scheduled_policies`, of one role',
    why: 'Each is looked at again and again.',
  },
  policiesInAll: {
    most: 500,
    unit: 'policies',
    of: 'the policies of all roles of a service',
    why: 'As for one role; and each recurrence is parsed.',
  },
  vmLog: {
    most: 50,
    unit: 'items',
    of: 'the log of a VM, a change of state each; the oldest go',
    why: 'It stands in the VM, and grows for ever.',
  },
  vmSchedules: {
    most: 50,
    unit: 'items',
    of: 'the scheduled actions of a VM; of those that are over, the oldest go',
    why: 'They stand in the VM, and each is looked at when one is due.',
  },
  backups: {
    most: 100,
    unit: 'items',
    of: 'the images of a disk that a scheduled action keeps, where it says how many',
    why: 'They are looked through after each saving.',
  },
  backupName: {
    most: 64,
    unit: 'characters',
    of: 'how the names of images begin that a scheduled action makes',
    why: 'VM, disk and time follow, and all of it is the name of an object.',
  },
  recurrence: {
    most: 256,
    unit: 'characters',
    of: 'a recurrence',
    why: 'The longest that means something is shorter.',
  },
  customValues: {
    most: 1_000,
    unit: 'values',
    of: '`custom_attrs`, `custom_attrs_values` and `user_inputs_values`, each',
    why: 'Each is looked for in the contents of each role.',
  },

  serviceNetworks: {
    most: 100,
    unit: 'items',
    of: 'the networks that a service template asks for',
    why: 'Those that the service makes are made in one transaction.',
  },

  // Users, groups, rules.
  groupsOfUser: {
    most: 100,
    unit: 'groups',
    of: 'the groups of a user',
    why: 'Each question for rights asks for all of them.',
  },
  rules: {
    most: 10_000,
    unit: 'rules',
    of: 'the rules of all users together; only administrators make them',
    why: 'Those that are about a user are read with each request.',
  },
  members: {
    most: 10_000,
    unit: 'users',
    of: 'a group to which somebody adds users who is no administrator',
    why: 'Admins of a group make users, and each may make as much as a user may.',
  },
  rule: { most: 1_000, unit: 'characters', of: 'the text of a rule', why: 'It is parsed.' },

  // Work in pieces.
  batchVms: {
    most: 50,
    unit: 'VMs',
    of: 'the VMs that one step works on',
    why: 'Cheap enough, and small enough to be tried again.',
  },
  writeBytes: {
    most: 256 * KiB,
    unit: 'bytes',
    of: 'what a step writes at once when it makes VMs',
    why: 'It is put into bytes in one go.',
  },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof limits;

/** `65,537`. Not by the locale's own rules: to load those takes a process as long as everything else about limits. */
export function grouped(count: number): string {
  const digits = String(count);
  const first = digits.length % 3 || 3;
  return [digits.slice(0, first), ...(digits.slice(first).match(/\d{3}/g) ?? [])].join(',');
}

/** `64 KiB`, `1,000 roles`: how a number of them is said. */
export function amountOf(count: number, unit: LimitUnit): string {
  if (unit === 'bytes' && count >= 1024 * KiB && count % (1024 * KiB) === 0) return `${count / (1024 * KiB)} MiB`;
  if (unit === 'bytes' && count >= KiB && count % KiB === 0) return `${count / KiB} KiB`;
  return `${grouped(count)} ${unit}`;
}

/** For schemas: `must be at most 128 characters`. */
export const atMost = (name: LimitName): string => `must be at most ${amountOf(limits[name].most, limits[name].unit)}`;
