import type { ServiceTemplateBody } from '../../schemas/services/service-template.js';
import type { TemplateInput } from '../../schemas/services/template-inputs.js';
import { type Input, inputOf, isNetwork } from './user-inputs.js';

type Members = Readonly<Record<string, unknown>>;

/** What a template asks for when it is instantiated, all of it: networks, custom attributes, and the inputs of its roles. */
export function templateForm({
  networks = {},
  networks_values = [],
  custom_attrs = {},
  custom_attrs_values = {},
  roles,
}: ServiceTemplateBody): TemplateInput[] {
  const chosen: Members = Object.fromEntries(networks_values.flatMap((one) => Object.entries(one)));
  return [
    ...asked(networks, chosen, null),
    ...asked(custom_attrs, custom_attrs_values, null),
    ...roles.flatMap(({ name, user_inputs = {}, user_inputs_values = {} }) =>
      asked(user_inputs, user_inputs_values, name),
    ),
  ];
}

function asked(inputs: Members, values: Members, role: string | null): TemplateInput[] {
  return Object.entries(inputs).map(([name, text]): TemplateInput => {
    // Of a text that says nothing in particular it is known that it has a value, or has none.
    const input = inputOf(text) ?? { ...plain, mandatory: role === null };
    const said = textOf(Object.hasOwn(values, name) ? values[name] : undefined) ?? (input.fallback || null);
    const ofNetwork = isNetwork(input.type);
    return {
      name: role === null ? name : `${role}/${name}`,
      given_in: ofNetwork && role === null ? 'networks' : 'inputs',
      role,
      type: ofNetwork ? 'network' : input.type,
      mandatory: input.mandatory && said === null,
      question: input.question,
      ...boundsOf(input),
      default: said,
    };
  });
}

const plain: Input = { mandatory: true, type: 'text', question: '', among: '', fallback: '' };

function boundsOf({ type, among }: Input): Pick<TemplateInput, 'among' | 'least' | 'most'> {
  if (type === 'list' || type === 'list-multiple')
    return { among: among.split(',').map((one) => one.trim()), least: null, most: null };
  const [least = '', most = ''] = type === 'range' || type === 'range-float' ? among.split('..') : [];
  return { among: null, least: numberIn(least), most: numberIn(most) };
}

const numberIn = (text: string): number | null =>
  text.trim() === '' || !Number.isFinite(Number(text)) ? null : Number(text);

const textOf = (value: unknown): string | null =>
  value === undefined || value === null || value === ''
    ? null
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
