import { clusterVerbs, hostVerbs } from '../../../cli/opennebula/host-verbs.js';
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
  ...{ onesecgroup: securityGroupVerbs, onevntemplate: networkTemplateVerbs },
};

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
  const program = { name, summary: '', verbs: programs[name] ?? [] };
  const code = await runOne(program, words, { environment, out: to('out'), err: to('err'), now, ask });
  return { code, ...printed };
}
