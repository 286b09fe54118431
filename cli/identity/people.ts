import type { z } from 'zod';
import { GroupResource } from '../../schemas/identity/group.js';
import { type SelfResource, UserResource } from '../../schemas/identity/user.js';
import { attributesSection } from '../shell/attribute.js';
import { nounOf } from '../shell/noun-of.js';
import { pairs } from '../shell/output.js';
import type { Resource } from '../shell/resource.js';

type User = z.infer<typeof UserResource>;
type Group = z.infer<typeof GroupResource>;

const yesNo = (is: boolean): string => (is ? 'yes' : 'no');
const listOf = (names: readonly string[]): string => names.join(', ') || '-';
/** The groups beside the primary one. */
const secondary = ({ gid, groups }: User): string[] => groups.filter(({ id }) => id !== gid).map(({ name }) => name);

export const users: Resource<typeof UserResource, typeof UserResource> = {
  ...nounOf('user'),
  item: UserResource,
  whole: UserResource,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'NAME', text: ({ name }) => name, cut: true },
    { title: 'GROUP', text: ({ gname }) => gname, cut: true },
    { title: 'OTHER GROUPS', text: (user) => listOf(secondary(user)), cut: true },
    { title: 'ADMINISTRATOR', text: ({ administrator }) => yesNo(administrator) },
    { title: 'ENABLED', text: ({ enabled }) => yesNo(enabled) },
    { title: 'UMASK', text: ({ umask }) => umask, wide: true },
    { title: 'CREATED', text: ({ created_at }) => created_at, wide: true },
  ],
  text: (user) =>
    [`USER ${user.id} INFORMATION`, pairs(userPairs(user)), ...attributesSection(user.attributes)].join('\n'),
};

const userPairs = (user: User): [name: string, value: string][] => [
  ['ID', String(user.id)],
  ['NAME', user.name],
  ['GROUP', `${user.gid} (${user.gname})`],
  ['OTHER GROUPS', listOf(secondary(user))],
  ['MANAGES', listOf(user.groups.filter(({ admin }) => admin).map(({ name }) => name))],
  ['ADMINISTRATOR', yesNo(user.administrator)],
  ['ENABLED', yesNo(user.enabled)],
  ['UMASK', user.umask],
  ['CREATED', user.created_at],
];

/** Whoever asks: as a user is shown, and what he may do. */
export const selfText = (self: SelfResource): string =>
  [
    pairs([...userPairs(self), ['SIGNED IN BY', self.authenticated_by]]),
    ...rulesSection(self.administrator ? ['everything'] : self.rules),
  ].join('\n');

export const groups: Resource<typeof GroupResource, typeof GroupResource> = {
  ...nounOf('group'),
  item: GroupResource,
  whole: GroupResource,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'NAME', text: ({ name }) => name, cut: true },
    { title: 'MEMBERS', text: ({ members }) => String(members), right: true },
    { title: 'ADMINS', text: ({ admins }) => listOf(admins.map(({ name }) => name)), cut: true },
    { title: 'MAY CREATE', text: ({ create }) => kindsText(create.users), cut: true },
    { title: 'ADMINS MAY CREATE', text: ({ create }) => kindsText(create.admins), wide: true },
    { title: 'SHARED VIEW', text: ({ shared_view }) => yesNo(shared_view) },
    { title: 'CREATED', text: ({ created_at }) => created_at, wide: true },
  ],
  text: (group) =>
    [
      `GROUP ${group.id} INFORMATION`,
      pairs([
        ['ID', String(group.id)],
        ['NAME', group.name],
        ['MEMBERS', String(group.members)],
        ['ADMINS', listOf(group.admins.map(({ name }) => name))],
        ['MAY CREATE', kindsText(group.create.users)],
        ['ADMINS MAY', kindsText(group.create.admins)],
        ['SHARED VIEW', yesNo(group.shared_view)],
        ['CREATED', group.created_at],
      ]),
      ...rulesSection(group.rules),
    ].join('\n'),
};

const kindsText = (kinds: Group['create']['users']): string => kinds.join('+') || 'nothing';

const rulesSection = (rules: readonly string[]): string[] =>
  rules.length === 0 ? [] : ['', 'RULES', ...rules.map((rule) => `  ${rule}`)];
