import { clusterVerbs, hostVerbs } from '../../../cli/opennebula/host-verbs.js';
import { appVerbs, marketVerbs } from '../../../cli/opennebula/market-verbs.js';
import { networkTemplateVerbs } from '../../../cli/opennebula/network-template-verbs.js';
import { networkVerbs } from '../../../cli/opennebula/network-verbs.js';
import { type OneSurroundings, runOne, type Verb } from '../../../cli/opennebula/one-program.js';
import { securityGroupVerbs } from '../../../cli/opennebula/security-group-verbs.js';
import { datastoreVerbs, imageVerbs } from '../../../cli/opennebula/storage-verbs.js';
import { templateVerbs } from '../../../cli/opennebula/template-verbs.js';
import { vmVerbs } from '../../../cli/opennebula/vm-verbs.js';
import type { Result } from '../launch-program.js';

const programs: Readonly<Record<string, readonly Verb[]>> = {
  ...{ onevm: vmVerbs, onetemplate: templateVerbs },
  ...{ onehost: hostVerbs, onecluster: clusterVerbs },
  ...{ oneimage: imageVerbs, onedatastore: datastoreVerbs, onevnet: networkVerbs },
  ...{ onemarket: marketVerbs, onemarketapp: appVerbs },
  ...{ onesecgroup: securityGroupVerbs, onevntemplate: networkTemplateVerbs },
};

const programOf = (name: string) => ({ name, summary: '', verbs: programs[name] ?? [] });

/** A command line such as `onevm list`, in this process, with what it prints. */
export async function runCommand(
  line: string,
  environment: OneSurroundings['environment'],
  now = (): Date => new Date(),
  ask: OneSurroundings['ask'] = null,
): Promise<Result> {
  const [name = '', ...words] = line.split(' ');
  const printed = { out: '', err: '' };
  const to = (stream: keyof typeof printed) => (text: string) => {
    printed[stream] += `${text}\n`;
  };
  const code = await runOne(programOf(name), words, { environment, out: to('out'), err: to('err'), now, ask });
  return { code, ...printed };
}

/** One such as `onevm top`, until it has printed so often on a terminal; `clear` is where it emptied that. */
export async function watchCommand(
  line: string,
  environment: OneSurroundings['environment'],
  most: number,
): Promise<string[]> {
  const [name = '', ...words] = line.split(' ');
  const seen: string[] = [];
  const closed = new Error('the terminal was closed');
  const surroundings = {
    ...{ environment, now: () => new Date(), ask: null, err: () => {} },
    clear: () => void seen.push('clear'),
    out: (text: string) => {
      if (seen.push(text) >= most) throw closed;
    },
  };
  await runOne(programOf(name), words, surroundings).catch((error: unknown) => {
    if (error !== closed) throw error;
  });
  return seen;
}
