import { z } from 'zod';
import type { FencingMethod, ShownMethod } from '../../schemas/hosts/fencing.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { textOf } from '../shell/files/text-of.js';

/** How each kind of method is written on the command line: `kind:` and these, with commas between. */
const forms = {
  manual: 'manual',
  command: 'command:<program>[,<argument>…]',
  redfish: 'redfish:<address>,<user>[,<system>]',
  ipmi: 'ipmi:<address>,<user>[,<port>]',
  libvirt: 'libvirt:<uri>,<domain>',
} as const satisfies Record<FencingMethod['kind'], string>;

export const fenceOption = `how it is turned off, one after the other: ${Object.values(forms).join(' or ')}`;

/** What of a method says whose password it is. */
const Account = z.object({ address: z.string(), user: z.string() });

/** As it is sent: what it lacks, the API says. */
type Sent = { kind: string } & Record<string, unknown>;

function methodIn(text: string): Sent {
  const at = text.indexOf(':');
  const [kind, given] = at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1).split(',')];
  if (kind === 'manual' && given === null) return { kind };
  const [first = '', second, third] = given ?? [];
  if (kind === 'command' && given) return { kind, program: first, arguments: given.slice(1) };
  if (kind === 'redfish' && second !== undefined)
    return { kind, address: first, user: second, ...(third !== undefined && { system: third }) };
  if (kind === 'ipmi' && second !== undefined)
    return { kind, address: first, user: second, ...(third !== undefined && { port: Number(third) }) };
  if (kind === 'libvirt' && second !== undefined) return { kind, uri: first, domain: second };
  throw new Complaint('usage', `--fence ${text} is no way to turn a host off.`, {
    next: `Give ${Object.values(forms).join(', or ')}.`,
  });
}

/** A method as it is written on the command line. */
export function methodText(method: ShownMethod): string {
  switch (method.kind) {
    case 'manual':
      return 'manual';
    case 'command':
      return `command:${[method.program, ...method.arguments].join(',')}`;
    case 'redfish':
      return `redfish:${[method.address, method.user, ...(method.system === undefined ? [] : [method.system])].join(',')}`;
    case 'ipmi':
      return `ipmi:${[method.address, method.user, ...(method.port === 623 ? [] : [method.port])].join(',')}`;
    case 'libvirt':
      return `libvirt:${method.uri},${method.domain}`;
  }
}

export type FenceOptions = {
  /** As they are written. */
  fence: readonly string[];
  /** A file, of methods of Redfish. */
  certificate: string | undefined;
  /** true: passwords are asked for, though the host has them. */
  password: boolean | undefined;
};

/** Methods as they are sent. Passwords that the host does not have are asked for, or read from standard input, in their order. */
export async function methodsFor(
  context: Context,
  { fence, certificate, password }: FenceOptions,
  present: readonly ShownMethod[],
): Promise<Sent[]> {
  const pem =
    certificate === undefined ? undefined : textOf(certificate, { next: 'Name the file with the certificate.' });
  const methods: Sent[] = [];
  for (const method of fence.map(methodIn)) {
    const { kind } = method;
    const account = Account.safeParse(method).data;
    const isIts = (one: ShownMethod) =>
      'user' in one && one.kind === kind && one.address === account?.address && one.user === account.user;
    const asks = account && (password === true || !present.some(isIts));
    methods.push({
      ...method,
      ...(kind === 'redfish' && pem !== undefined && { certificate: pem }),
      ...(asks && { password: await context.secret(`Password of ${account.user} at ${account.address}`) }),
    });
  }
  if (pem !== undefined && !methods.some(({ kind }) => kind === 'redfish'))
    throw new Complaint('usage', '--fence-certificate is of methods of Redfish, and there is none.', {
      next: `Give ${forms.redfish}.`,
    });
  return methods;
}
