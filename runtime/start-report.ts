import { homedir } from 'node:os';
import { join } from 'node:path';
import { colours } from './colours.js';
import type { Home } from './home.js';
import type { PresentedService } from './sample-report.js';
import { serviceTable } from './service-view.js';

export type StartFacts = { home: Home; api: string; temporalUi: string | null; service: PresentedService | null };

/** What an operator may type next. They work in the checkout, in another terminal. */
export function nextCommands({ home, api, service }: StartFacts): string[] {
  const elsewhere = home.directory === join(homedir(), '.arcus') ? '' : `ARCUS_HOME=${home.directory} `;
  const first = service === null ? 'host list' : `service show ${service.service.name}`;
  return [
    `${elsewhere}node bin/arcus.mjs ${first}`,
    `${elsewhere}node bin/arcus.mjs vm list`,
    `curl -u "$(cat ${home.auth})" ${api}/api/v1/${service === null ? 'hosts' : `services/${service.service.id}`}`,
  ];
}

/** Everything that an operator needs to begin: the service, the addresses, the credentials, the next commands. */
export function startReport(facts: StartFacts): string {
  const { home, api, temporalUi, service } = facts;
  const addresses: [string, string | null][] = [
    ['API', `${api}/api/v1`],
    ['API documentation', `${api}/docs`],
    ['Temporal UI', temporalUi],
    ["The service's workflow", service?.workflowUrl ?? null],
    ['Credentials', home.auth],
    ['Logs', home.logs],
  ];
  const known = addresses.filter((entry): entry is [string, string] => entry[1] !== null);
  const width = Math.max(...known.map(([label]) => label.length));
  return [
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
  ].join('\n');
}
