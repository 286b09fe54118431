import { type Attributes, isAttributes } from './template-values.js';

/**
 * A template as OpenNebula writes it in XML, which guests are told by `$TEMPLATE`: each text by itself, what is given more than once one after the other. What lies
 * deeper than in template text is told as JSON.
 */
export const templateXml = (template: Attributes): string => `<TEMPLATE>${elements(template)}</TEMPLATE>`;

const elements = (attributes: Attributes): string =>
  Object.entries(attributes)
    .flatMap(([name, value]) =>
      [value].flat().map((one: unknown) => element(name, isAttributes(one) ? members(one) : text(one))),
    )
    .join('');

const members = (attributes: Attributes): string =>
  Object.entries(attributes)
    .map(([name, value]) => element(name, text(value)))
    .join('');

const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;

/** What XML has no way to say is left out: control characters, and halves of characters. */
function text(value: unknown): string {
  const said = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  const sayable = said.replace(/[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '');
  return `<![CDATA[${sayable.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
}
