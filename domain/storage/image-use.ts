import { kinds } from '../../schemas/kinds.js';
import { type Image, type ImageType, imageTypes } from '../../schemas/storage/image.js';
import type { Caller } from '../identity/caller.js';
import { allowed } from '../identity/permissions.js';
import type { ProblemCode } from '../problems.js';
import { few } from '../words.js';
import { statesBefore } from './image-states.js';

/** Whoever has VMs made may USE the images that their disks are made of. */
export const mayUseImage = (
  maker: Pick<Caller, 'id' | 'groups' | 'rules'>,
  { _id: id, uid, gid, permissions }: Pick<Image, '_id' | 'uid' | 'gid' | 'permissions'>,
): boolean => allowed(maker, { type: kinds.image.acl, id, uid, gid, permissions }, 'use');

/** Of those that are no persistent ones, the states in which one more VM may use them; others are free, or in use. */
export const usableStates = statesBefore('use');

type Used = Pick<Image, '_id' | 'name' | 'type' | 'state' | 'reason' | 'persistent' | 'vms' | 'wanted'>;

/** Why no disk of one more VM can be made of an image now, as a sentence; null: one can. */
export function whyNotUsed(image: Used): { code: ProblemCode; why: string } | null {
  const { _id: id, name, type, state, persistent, vms } = image;
  const it = `Image ${id} (${name})`;
  if (imageTypes[type].content !== 'disk')
    return { code: 'invalid_request', why: `${it} is ${type}: disks are made of OS, CDROM and DATABLOCK.` };
  const away = whyAway(image);
  if (away || !persistent) return away;
  if (vms.length > 0)
    return {
      code: 'in_use',
      why: `${it} is persistent, and ${vms.length === 1 ? 'VM' : 'VMs'} ${few(vms.map(String))} ${vms.length === 1 ? 'uses' : 'use'} it: one does at a time.`,
    };
  return state === 'CLONE'
    ? {
        code: 'wrong_state',
        why: `${it} is being cloned: a persistent one can be used when that has ended.`,
      }
    : null;
}

/** Why no VM can have an image as a file of this type now, as a sentence; null: one can. Who has it so keeps it from nothing. */
export function whyNoFile(image: Used, use: ImageType): { code: ProblemCode; why: string } | null {
  const { _id: id, name, type } = image;
  return type === use
    ? whyAway(image)
    : { code: 'invalid_request', why: `Image ${id} (${name}) is ${type}, and one of type ${use} is needed.` };
}

/** Why the bytes of an image are nobody's to use now; null: they are. */
function whyAway({ _id: id, name, state, reason, wanted }: Used): { code: ProblemCode; why: string } | null {
  const refused = (why: string) => ({ code: 'wrong_state', why: `Image ${id} (${name}) ${why}` }) as const;
  if (wanted !== null || state === 'DELETE') return refused('is being removed.');
  if (state === 'LOCKED') return refused('is LOCKED: its bytes are being made.');
  if (state === 'ERROR') return refused(`is in ERROR${reason ? `: ${reason}` : ''}.`);
  return state === 'DISABLED' ? refused('is DISABLED: enable it first.') : null;
}
