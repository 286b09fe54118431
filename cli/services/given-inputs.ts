import { z } from 'zod';
import type { TemplateInput } from '../../schemas/services/template-inputs.js';
import { networks } from '../networks/network-resource.js';
import { networkTemplates } from '../networks/network-template.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { resolve } from '../shell/resource.js';

const Several = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => [given].flat())
  .optional();

/** What a template asks for, given with the command that instantiates it. */
export const inputOptions = {
  shape: { network: Several, input: Several },
  options: [
    [
      '--network <name=network...>',
      'which a network of it is, by name or id; one of a template: name=template:template; or what is reserved of one: name=reserve:network:size',
    ],
    ['--input <name=value...>', 'what else it asks for; of a role: role/name=value'],
  ],
} as const;

export type GivenInputs = { network?: readonly string[] | undefined; input?: readonly string[] | undefined };

/** The same in the words of the API. */
export async function inputsBody(context: Context, { network = [], input = [] }: GivenInputs): Promise<Body> {
  const body: Body = { networks: {}, inputs: {} };
  for (const text of network) {
    const [name, value] = parted(text, '--network', 'Public=office');
    body.networks[name] = await choiceOf(context, value);
  }
  for (const text of input) {
    const [name, value] = parted(text, '--input', 'SIZE=large');
    body.inputs[name] = value;
  }
  return body;
}

type Body = { networks: Record<string, object>; inputs: Record<string, string> };

function parted(text: string, option: string, example: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  throw new Complaint('usage', `${option}: ${JSON.stringify(text)} is not of the form NAME=VALUE.`, {
    next: `Such as: ${option} ${example}`,
  });
}

/** `office`, `7`, `template:isolated`, or `reserve:office:10`. */
async function choiceOf(context: Context, text: string): Promise<object> {
  const [at, end] = ['reserve:'.length, text.lastIndexOf(':')];
  const [of, size] = [text.slice(at, end), text.slice(end + 1)];
  if (text.startsWith('template:'))
    return { template_id: await resolve(context.client(), networkTemplates, text.slice('template:'.length)) };
  if (!text.startsWith('reserve:')) return { network_id: await resolve(context.client(), networks, text) };
  if (of !== '' && end > at && /^\d{1,9}$/.test(size))
    return { reserve_from: await resolve(context.client(), networks, of), size: Number(size) };
  throw new Complaint('usage', `--network: ${JSON.stringify(text)} does not say how many addresses are reserved.`, {
    next: 'Such as: --network Private=reserve:office:10',
  });
}

/** Asks whoever sits at a terminal for what has to be given and was not. */
export async function askFor(
  context: Context,
  items: readonly TemplateInput[],
  { networks: chosen, inputs }: Body,
): Promise<void> {
  const { ask, secret } = context;
  if (ask === null) return;
  for (const { name, given_in, type, mandatory, question, among } of items) {
    if (!mandatory || name in chosen || name in inputs) continue;
    const may = among === null ? '' : ` (${among.join(', ')})`;
    const how = type === 'network' ? ' (a network, template:template, or reserve:network:size)' : may;
    const asked = `${name}${question === '' ? '' : `: ${question}`}${how} `;
    const answer = type === 'password' ? await secret(asked) : (await ask(asked)).trim();
    if (answer === '') continue;
    if (given_in === 'networks') chosen[name] = await choiceOf(context, answer);
    else inputs[name] = answer;
  }
}
