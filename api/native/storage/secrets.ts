import { SecretsRotated } from '../../../schemas/storage/secrets.js';
import { NoParams, NoQuery, noBody, type Route, route, shows } from '../route.js';

export const secretRoutes: readonly Route[] = [
  route({
    id: 'rotateSecrets',
    method: 'post',
    path: '/secrets/rotate',
    tag: 'Secrets',
    summary: 'Seal all secrets with a new key',
    description:
      'The key is written to the file of keys, which all processes read. One that was cut off is finished by asking again. Keys that no secret has any more stay in the file: backups of the database may need them.',
    needs: ['administrator'],
    params: NoParams,
    query: NoQuery,
    body: noBody,
    answer: shows(SecretsRotated),
    problems: ['wrong_state'],
    examples: [{ answer: { key: null, resealed: 0, unused: [] } }],
    handle: ({ secrets }, { caller }) => secrets.rotate(caller),
  }),
];
