import { createHash } from 'node:crypto';
import { Problem } from '../domain/problems.js';

/** What must still be so of an object, for a request on it to be carried out. */
export type Precondition = {
  /** Refuses by `precondition_failed`. `current`: shows the object as it is now, and is asked only where it matters. */
  demand(current: () => Promise<unknown>): Promise<void>;
};

/** Of a request without If-Match, or with `*`: that there is such an object is found out anyway. */
export const unconditional: Precondition = { demand: async () => {} };

/** The object is still as it was when it had one of these tags. */
export const unchangedSince = (tags: readonly string[]): Precondition => ({
  async demand(current) {
    if (!tags.map(withoutUse).includes(withoutUse(tagOf(JSON.stringify(await current())))))
      throw new Problem(
        'precondition_failed',
        'It has been changed since you read it. Read it again, decide anew, and send its ETag of now in If-Match.',
      );
  },
});

/** Found nowhere but where they are members: within a text their quotes would be escaped. */
const lastProbe = /"(?:(?:last_monitored_at|next_look)":(?:null|"[^"]*")|missed":\d+),?/g;

/** What a VM uses, as its host says every few seconds: who looks sees that it has changed, and nobody edits it. */
const use = /"monitoring":(?:null|\{"time":"[^"]+"(?:,"[a-z]+":\d+)+\}),?/g;
/** What elasticity policies say every few seconds, and how far they have counted: the same. */
const heard: ReadonlySet<string> = new Set(['true_evals', 'last_eval', 'last', 'log']);

const withoutUse = (tag: string): string => tag.replace(/\.[^"]*/, '');

const hashOf = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, length);

/**
 * What stands for an object as it is shown, which is this JSON: as long as it is shown the same, and no longer. The moment
 * of a host's last probe, and of its next, is no part of it: with that, what a person has read would be old before it can be edited. What a VM
 * uses, and what policies say, is a part of its own, which does not count for a change.
 */
export function tagOf(json: string): string {
  const used = json.match(use)?.join('');
  const { stays, said } = json.includes('"true_evals":') ? withoutHeard(json) : { stays: json, said: '' };
  const tag = hashOf(stays.replace(lastProbe, '').replace(use, ''), 27);
  return used === undefined && said === '' ? `"${tag}"` : `"${tag}.${hashOf(`${used ?? ''}${said}`, 9)}"`;
}

function withoutHeard(json: string): { stays: string; said: string } {
  const said: unknown[] = [];
  const shown: unknown = JSON.parse(json);
  const stays = JSON.stringify(shown, function (this: object, name: string, value: unknown) {
    if (!heard.has(name) || !('true_evals' in this)) return value;
    said.push(value);
    return undefined;
  });
  return { stays, said: JSON.stringify(said) };
}
