import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { checkout } from '../../adapters/process/checkout.js';
import { printableLines } from '../../schemas/common/printable.js';
import type { HypervisorKind } from '../../schemas/hosts/host.js';
import type { Home } from '../home/home.js';
import { colours } from './colours.js';
import type { PresentedService } from './sample-report.js';
import { serviceTable } from './service-view.js';

export type StartFacts = {
  home: Home;
  api: string;
  /** Where clients of OneFlow find it; null: nowhere. */
  oneflow: string | null;
  /** File with the certificate of the API, where it has one. */
  certificate?: string | undefined;
  temporalUi: string | null;
  service: PresentedService | null;
  /** On which hosts its VMs are: real ones outlive this process. */
  guests?: HypervisorKind;
};

/** Whether `arcus`, as a shell finds it on this PATH, is that of this checkout. */
function isOnPath(path: string): boolean {
  const found = path
    .split(delimiter)
    .map((directory) => join(directory, 'arcus'))
    .find((file) => existsSync(file));
  return found !== undefined && realpathSync(found) === realpathSync(join(checkout, 'bin', 'arcus'));
}

/** What names a service in a shell: its id, where its name is more than a word. */
const typed = ({ id, name }: PresentedService['service']): string =>
  /^[A-Za-z_][\w.-]*$/.test(name) ? name : String(id);

/** `curl`, and the address to give it: one that the certificate is for, which curl is told to believe. */
function curlOf({ api, certificate }: Pick<StartFacts, 'api' | 'certificate'>): { curl: string; at: string } {
  if (certificate === undefined) return { curl: 'curl', at: api };
  const its = new X509Certificate(readFileSync(certificate));
  const { hostname, port } = new URL(api);
  const names = (its.subjectAltName ?? '').split(', ').flatMap((name) => /^DNS:([\w.-]+)$/.exec(name)?.[1] ?? []);
  const name = its.checkIP(hostname) ?? names.find((one) => one === 'localhost') ?? names[0] ?? hostname;
  const elsewhere = name === hostname ? '' : ` --connect-to ${name}:${port}:${hostname}:${port}`;
  return { curl: `curl --cacert "${certificate}"${elsewhere}`, at: `https://${name}:${port}` };
}

/** What an operator may type next, in another terminal and any directory. */
export function nextCommands(
  { home, api, certificate, service }: Omit<StartFacts, 'temporalUi' | 'oneflow' | 'guests'>,
  path = process.env.PATH ?? '',
): string[] {
  const { curl, at } = curlOf({ api, certificate });
  const first = service === null ? 'host list' : `service show ${typed(service.service)}`;
  return [
    ...(isOnPath(path) ? [] : [`export PATH="${join(checkout, 'bin')}:$PATH"`]),
    ...(home.directory === join(homedir(), '.arcus') ? [] : [`export ARCUS_HOME="${home.directory}"`]),
    `arcus ${first}`,
    'arcus vm list',
    `${curl} -u "$(cat "${home.auth}")" ${at}/api/v1/${service === null ? 'hosts' : `services/${service.service.id}`}`,
  ];
}

/** Everything that an operator needs to begin: the service, the addresses, the credentials, the next commands. */
export function startReport(facts: StartFacts): string {
  const { home, api, oneflow, temporalUi, service, guests } = facts;
  const addresses: [string, string | null][] = [
    ['API', `${api}/api/v1`],
    ['API documentation', `${api}/docs`],
    ['OneFlow', oneflow],
    ['Temporal UI', temporalUi],
    ["The service's workflow", service?.workflowUrl ?? null],
    ['Credentials', home.auth],
    ['Logs', home.logs],
  ];
  const known = addresses.filter((entry): entry is [string, string] => entry[1] !== null);
  const width = Math.max(...known.map(([label]) => label.length));
  const lines = [
    '',
    ...(service === null
      ? []
      : [
          `Service ${service.service.id}, ${colours.bold(service.service.name)}, is ${service.service.state}:`,
          serviceTable(service.service),
          '',
        ]),
    ...known.map(([label, value]) => `${label.padEnd(width)}  ${value}`),
    '',
    'Next, in another terminal:',
    ...nextCommands(facts).map((command) => `  ${command}`),
    '',
    'Ctrl-C stops everything; the next start finds it as it was.',
    ...(guests === 'libvirt' && service !== null
      ? [`Guests of libvirt run on without Arcus: arcus service undeploy ${typed(service.service)} ends them.`]
      : []),
  ];
  return printableLines(lines.join('\n'));
}
