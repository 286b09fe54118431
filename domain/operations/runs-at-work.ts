import { workflowIdOf } from './names.js';

/** What is at work on a service: on all of it, and on roles of it. */
type AtWork = {
  _id: number;
  operation: string | null;
  /** Those that an operation has apart from others, and the ID under which that runs; null: nobody knows it. */
  roles: readonly { name: string; run: string | null }[];
};

/** The IDs under which the operations run that are at work on a service. */
export const runsAtWork = ({ _id: id, operation, roles }: AtWork): string[] => [
  ...(operation === null ? [] : [workflowIdOf({ type: 'service', id })]),
  ...new Set(roles.flatMap(({ run }) => run ?? [])),
];

/** Under which ID whoever works on a role of it runs: an operation that has the role, else one that has all. */
export const runOnRole = ({ _id: id, roles }: AtWork, name: string): string =>
  roles.find((role) => role.name === name)?.run ?? workflowIdOf({ type: 'service', id });
