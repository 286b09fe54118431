import type { ProblemBody } from '../../schemas/common/problem.js';
import { kinds, ownedKinds } from '../../schemas/kinds.js';
import { nounOf } from './noun-of.js';

/** What was asked, as far as advice depends on it. `typed`: by somebody who has just typed name and password. */
type Asked = { method: string; path: string; typed: boolean };

/** What a refusal says: what of it is for programs is said to people in other words. */
export function sentenceOf({ type, detail }: ProblemBody, { path }: Pick<Asked, 'path'>): string {
  if (!type.endsWith('/precondition_failed')) return detail;
  const { noun, id } = namedIn(path);
  return `${id === undefined ? 'It' : `${noun} ${id}`} has been changed by somebody since it was read: nothing is done to it.`;
}

/** What a user can do after a refusal: never nothing. */
export function nextStep(
  { status, detail, operation, exceeded, request_id, type }: ProblemBody,
  { method, path, typed }: Asked,
): string {
  if (operation !== undefined) return `See what it does with: arcus operation show ${operation}`;
  if (typed && status === 401)
    return 'Try again. An administrator, or an admin of your group, can give you another password.';
  if (typed && status === 429) return 'Wait, and try again.';
  if (status === 401) return 'See which credentials are sent, and where they come from, with: arcus context current';
  if (status === 429) return 'Wait, and see which credentials are sent with: arcus context current';
  if (status === 403) return 'Ask its owner, or an administrator, for the right to do this.';
  const { noun, id } = namedIn(path);
  if (status === 404 && /^\/vms\/\d+\/schedules\//.test(path) && id !== undefined)
    return `See which it has with: arcus vm schedule list ${id}`;
  // It is there, and has no such part.
  if (status === 404 && id !== undefined && !detail.startsWith('There is no '))
    return `See what it has with: arcus ${noun} show ${id}`;
  if (status === 404) return `List what there is with: arcus ${noun} list`;
  if (exceeded)
    return 'See what is used with: arcus quota show. End what is not needed, or ask an administrator for more.';
  if (type.endsWith('/datastore_full'))
    return 'Delete images that nobody needs, name another datastore, or ask an administrator for more room.';
  if (type.endsWith('/name_taken'))
    return `Choose another name, or see who has it with: arcus ${madeBy(path) ?? noun} list`;
  if (type.endsWith('/precondition_failed')) {
    const look = id === undefined ? '' : `See what it is now with: arcus ${noun} show ${id}\n`;
    return `${look}If you mean it still, give the command again.`;
  }
  if (type.endsWith('/in_use') && (noun === 'group' || noun === 'user') && id !== undefined) {
    const has = ownedIn(detail);
    if (has !== undefined) return `See which with: arcus ${has} list`;
  }
  if (status === 409 && id !== undefined) return `See more with: arcus ${noun} ${verbs[noun] ?? 'show'} ${id}`;
  if (status === 409) return 'Nothing has been changed. Try again when what is told above has changed.';
  if (status >= 500) return `Try again in a moment; the log of the API has the reason under ${request_id}.`;
  return method === 'GET' ? 'Correct it and ask again.' : 'Correct it and try again: nothing has been changed.';
}

/** What tells most about a resource that is in the way. */
const verbs: Record<string, string> = { service: 'why', vm: 'why', host: 'why', image: 'why', operation: 'why' };

/** What is called otherwise on the command line, or has no list of its own there. */
const listedAs: Record<string, string> = { 'consistency-check': 'operation', 'virtual-network': 'network' };

/** What is made there, where it is of another kind: an image of a disk of a VM, a network of a template. */
const madeBy = (path: string): string | null =>
  /^\/vms\/\d+\/disks\/\d+\/save$/.test(path)
    ? 'image'
    : /^\/network-templates\/\d+\/instantiate$/.test(path)
      ? 'network'
      : null;

/** By what noun the first is called of what somebody has (“2 virtual networks, 1 VM”). */
function ownedIn(detail: string): string | undefined {
  for (const [, words = ''] of detail.matchAll(/ \d+ ([A-Za-z ]+)(?=[.,])/g)) {
    const kind = ownedKinds.find((one) => kinds[one].one === words || kinds[one].several === words);
    if (kind !== undefined) return nounOf(kind).noun;
  }
  return undefined;
}

/** `/services/12/recover` → service 12. */
function namedIn(path: string): { noun: string; id: string | undefined } {
  const [, collection = '', id] = /^\/([a-z-]+)(?:\/([0-9A-Z]+))?/.exec(path) ?? [];
  const noun = collection.replace(/s$/, '');
  return { noun: listedAs[noun] ?? noun, id };
}
