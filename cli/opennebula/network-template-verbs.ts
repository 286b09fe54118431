import { z } from 'zod';
import { json } from '../../client/message.js';
import { NetworkResource } from '../../schemas/networks/network.js';
import { NetworkTemplateResource } from '../../schemas/networks/network-template.js';
import { networkTemplates } from '../networks/network-template.js';
import { resolve } from '../shell/resource.js';
import { networkTemplateList, networkTemplateText } from './network-template-text.js';
import { NetworkText, networkBody } from './network-verbs.js';
import { listVerb, type One, ownershipVerbs, showVerb, toEach, type Verb } from './one-program.js';
import { attributesIn } from './template-file.js';

const bodyIn = (file: string): object => networkBody(NetworkText.parse(attributesIn(file)));
const set = ({ client }: One, id: number, change: object) =>
  client.send('PATCH', `${networkTemplates.path}/${id}`, NetworkTemplateResource, json(change));

const Given = z.object({ name: z.string().optional() });

export const networkTemplateVerbs: readonly Verb[] = [
  listVerb(networkTemplates, (all) => networkTemplateList(all)),
  showVerb(networkTemplates, (template) => networkTemplateText(template)),
  {
    usage: 'create <file>',
    summary: 'Add one of template text: NAME, VN_MAD, BRIDGE, PHYDEV, VLAN_ID, AR, and what guests are told',
    run: async (one, [file = '-']) => {
      const sent = one.client.send('POST', networkTemplates.path, NetworkTemplateResource, json(bodyIn(file)));
      one.out(`ID: ${(await sent).value.id}`);
    },
  },
  {
    usage: 'delete <ids>',
    summary: 'Remove it; networks that were made of it stay',
    run: toEach(networkTemplates, ({ client }, id) =>
      client.send('DELETE', `${networkTemplates.path}/${id}`, z.undefined()),
    ),
  },
  {
    usage: 'instantiate <id> [file]',
    summary: 'Make a network of it, with address ranges (AR) and attributes of template text beside its own',
    options: [['--name <name>', 'of the network']],
    run: async (one, [wish, file], options) => {
      const id = await resolve(one.client, networkTemplates, wish, { whole: true });
      const text = file === undefined ? {} : bodyIn(file);
      const body = json({ ...text, ...Given.parse(options) });
      const path = `${networkTemplates.path}/${id}/instantiate`;
      one.out(`VN ID: ${(await one.client.send('POST', path, NetworkResource, body)).value.id}`);
    },
  },
  {
    usage: 'rename <id> <name>',
    summary: 'Give it another name',
    run: toEach(networkTemplates, (one, id, [name]) => set(one, id, { name })),
  },
  ...ownershipVerbs(networkTemplates),
];
