import { workflowIdOf } from './names.js';

/** What is at work on a service: on all of it, and on roles of it. */
type AtWork = {
  _id: number;
  operation: string | null;
  roles: readonly { name: string; operation?: string | null }[];
};

/** The IDs under which the operations run that are at work on a service. */
export const runsAtWork = ({ _id: id, operation, roles }: AtWork): string[] => [
  ...(operation === null ? [] : [workflowIdOf({ type: 'service', id })]),
  ...roles.flatMap((role) => (role.operation ? [workflowIdOf({ type: 'service', id }, role.name)] : [])),
];

/** Under which ID whoever works on a role of it runs: an operation that has the role alone, else one that has all. */
export const runOnRole = ({ _id: id, roles }: AtWork, name: string): string =>
  workflowIdOf({ type: 'service', id }, roles.find((role) => role.name === name)?.operation ? name : undefined);
