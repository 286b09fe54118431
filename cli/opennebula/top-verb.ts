import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Complaint } from '../shell/complaint.js';
import { listVerb, type Verb } from './one-program.js';

type Item = z.ZodType<{ id: number; name: string }>;
const Delay = z.coerce.number().min(1).default(3);

/** `list` and `top`. */
export function listVerbs<L extends Item>(...given: Parameters<typeof listVerb<L>>): Verb[] {
  const list = listVerb(...given);
  return [list, topVerb(list)];
}

/** What `list` prints, again and again until it is interrupted; on a terminal in its place, else below. */
const topVerb = (list: Verb): Verb => ({
  usage: list.usage.replace(/^list\b/, 'top'),
  summary: 'The same, again and again',
  options: [['-d, --delay <seconds>', 'between two looks (default: 3)']],
  run: async (one, args, given) => {
    const { data: delay } = Delay.safeParse(given.delay);
    if (delay === undefined)
      throw new Complaint('usage', '--delay must be a number of seconds, 1 or more.', { next: '' });
    for (;;) {
      // What was seen last stays on the screen until there is something newer.
      let seen = '';
      await list.run({ ...one, out: (text) => (seen += text) }, args, given);
      one.clear?.();
      one.out(one.clear ? seen : `\n${seen}`);
      await sleep(delay * 1_000);
    }
  },
});
