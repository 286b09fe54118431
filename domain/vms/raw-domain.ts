import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { isAttributes } from './template-values.js';

/** An element of a domain: its attributes begin with `@`, and what it has more than once is a list. */
export type DomainTree = { readonly [name: string]: unknown };

/**
 * What RAW may say of a domain of libvirt. What it is called, whose it is, how much it has and what becomes of it when it ends is Arcus's: a domain that said
 * otherwise would be lost, or be taken for another's.
 */
const sayable: readonly string[] = [
  ...['blkiotune', 'clock', 'cpu', 'cputune', 'devices', 'features', 'idmap', 'iothreads', 'keywrap', 'launchSecurity'],
  ...['memoryBacking', 'memtune', 'numatune', 'perf', 'pm', 'qemu:commandline', 'resource', 'seclabel', 'sysinfo'],
];

const parser = new XMLParser({
  ...{ ignoreAttributes: false, attributeNamePrefix: '@', parseTagValue: false, parseAttributeValue: false },
  ...{ processEntities: true, htmlEntities: false, trimValues: true },
});

/** RAW/DATA as elements of a domain; a text: why it cannot be one, to be said behind its name. */
export function rawDomain(data: string): DomainTree | string {
  // Declarations, comments and processing instructions mean something to a parser, and nothing to a domain.
  if (/<[!?]/.test(data)) return 'must be elements alone, without declarations and comments';
  const whole = `<domain>${data}</domain>`;
  const valid = XMLValidator.validate(whole);
  if (valid !== true) return `is no XML of a domain: ${valid.err.msg.replace(/\.$/, '')}`;
  const read: unknown = parser.parse(whole);
  const { domain, ...others } = isAttributes(read) ? read : {};
  if (Object.keys(others).length > 0) return 'must be what stands within a domain';
  if (domain === '') return {};
  if (!isAttributes(domain)) return 'must be elements';
  for (const [name, element] of Object.entries(domain)) {
    if (!sayable.includes(name)) return `must not say "${name}" of a domain: it may say ${sayable.join(', ')}`;
    if (name !== 'devices' && Array.isArray(element)) return `says "${name}" twice`;
  }
  return domain;
}
