import { lineOf } from '../servers/mongod-lines.js';

/** The last day on which its makers mend a version: by line of MongoDB, by major version of Node.js. */
const ends: Record<'MongoDB' | 'Node.js', Record<string, string>> = {
  MongoDB: {
    '4.4': '2024-02-29',
    '5.0': '2024-10-31',
    '6.0': '2025-07-31',
    '7.0': '2027-08-31',
    '8.0': '2029-10-31',
  },
  'Node.js': { '18': '2025-04-30', '20': '2026-04-30', '22': '2027-04-30', '24': '2028-04-30' },
};

/** The first release of each line in which CVE-2025-14847 is mended. */
const mended: Record<string, string> = {
  '4.4': '4.4.30',
  '5.0': '5.0.32',
  '6.0': '6.0.27',
  '7.0': '7.0.28',
  '8.0': '8.0.17',
  '8.2': '8.2.3',
};

/** What there is to say, as sentences of an operator's: the first is what is the matter, the second what to do. Null: nothing. */
export type SupportNotice = { found: string; advice: string };

/** Whether a version is mended no more on that day. One that the table does not know is taken to be newer than it. */
export function outOfSupport(product: keyof typeof ends, version: string, today: Date): SupportNotice | null {
  const line = product === 'MongoDB' ? lineOf(version) : (version.split('.')[0] ?? '');
  const end = ends[product][line];
  if (end === undefined || today.toISOString().slice(0, 10) <= end) return null;
  const supported = Object.entries(ends[product]).filter(([, last]) => last >= today.toISOString().slice(0, 10));
  const others = supported.map(([name]) => name).join(' or ');
  return {
    found: `${product} ${version} is out of support since ${end}: faults that are found in it are mended no more`,
    advice: others === '' ? `use a newer ${product}` : `use ${product} ${others}`,
  };
}

/** Whether this MongoDB hands out its memory to whoever reaches its port, unless its connections are not compressed. */
export function readsOut(version: string): SupportNotice | null {
  const line = lineOf(version);
  const first = mended[line];
  const patch = Number(version.split('.')[2] ?? 0);
  if (first === undefined || patch >= Number(first.split('.')[2])) return null;
  return {
    found: `MongoDB ${version} lets anybody who reaches its port read its memory, credentials or not (CVE-2025-14847)`,
    advice: `use ${first} or newer, or start it with --networkMessageCompressors disabled`,
  };
}
