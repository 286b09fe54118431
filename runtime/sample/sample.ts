import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { json } from '../../client/message.js';
import { HypervisorKind } from '../../schemas/hosts/host.js';

const Sample = z.object({
  key: z.string(),
  service: z.int().nullable(),
  declined: z.boolean(),
  hypervisor: HypervisorKind.default('simulated'),
});
/** What the home remembers of the sample: its idempotency key, its service once that was instantiated, or that nobody wanted it; and on which hosts it is. */
type Sample = z.infer<typeof Sample>;

const Named = z.object({ id: z.int(), name: z.string() });
const InstanceOf = Named.extend({ template_id: z.int(), state: z.string() });
const Accepted = z.object({ resource: z.object({ id: z.int() }) });

/** On what the sample is: its hosts, and how large it is there. */
export type SampleCloud = {
  hypervisor: HypervisorKind;
  hosts: readonly { name: string }[];
  cardinality: { db_slave: number; worker: number };
  /** Its VM templates by the names of its roles; what they need is made first. */
  vmTemplates(api: Client): Promise<Readonly<Record<SampleRole, object>>>;
};

const sampleRoles = ['frontend', 'db_master', 'db_slave', 'worker'] as const;
export type SampleRole = (typeof sampleRoles)[number];

/** Three simulated hosts, which any machine can have. */
export const simulatedCloud: SampleCloud = {
  hypervisor: 'simulated',
  hosts: ['sample-host-1', 'sample-host-2', 'sample-host-3'].map((name) => ({
    ...{ name, vm_mad: 'simulated', cpu: 8, memory: 16_384 },
  })),
  cardinality: { db_slave: 3, worker: 10 },
  vmTemplates: async () => ({
    frontend: { CPU: 1, MEMORY: 1_024 },
    db_master: { CPU: 1, MEMORY: 2_048 },
    db_slave: { CPU: 1, MEMORY: 1_024 },
    worker: { CPU: 0.5, MEMORY: 512 },
  }),
};

/** The service of section 1.3.1 of the guide. */
const serviceTemplate = (template: (role: SampleRole) => number, { db_slave, worker }: SampleCloud['cardinality']) => ({
  name: 'my_service',
  deployment: 'straight',
  ready_status_gate: false,
  roles: [
    { name: 'frontend', vm_template: template('frontend') },
    { name: 'db_master', parents: ['frontend'], vm_template: template('db_master') },
    { name: 'db_slave', parents: ['frontend'], cardinality: db_slave, vm_template: template('db_slave') },
    { name: 'worker', parents: ['db_master', 'db_slave'], cardinality: worker, vm_template: template('worker') },
  ],
});

function readSample(file: string): Sample | null {
  try {
    return Sample.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

function writeSample(file: string, sample: Sample): Sample {
  writeFileSync(`${file}.part`, `${JSON.stringify(sample)}\n`);
  renameSync(`${file}.part`, file);
  return sample;
}

/** The id of the object of this name, made when there is none: a start killed half-way makes nothing twice. */
export async function ensure(api: Client, path: string, body: { name: string; template?: object }): Promise<number> {
  const there = (await api.list(path, Named)).find(({ value }) => value.name === body.name);
  return (there ?? (await api.send('POST', path, Named, json(body)))).value.id;
}

const newSample = (hypervisor: HypervisorKind, declined: boolean): Sample => ({
  ...{ key: randomUUID(), service: null, declined, hypervisor },
});

/** On which hosts the sample of this home is, or is yet to be made; null: it has none, or is to have none. `isMade`: nothing is left to do. */
export function sampleOf(file: string): { hypervisor: HypervisorKind | null; isMade: boolean } {
  const { hypervisor = null, service = null, declined = false } = readSample(file) ?? {};
  return { hypervisor: declined ? null : hypervisor, isMade: declined || service !== null };
}

/** Remembers that this home is to have no sample, if it has none yet: later starts make none either. */
export function declineSample(file: string): void {
  if (readSample(file) === null) writeSample(file, newSample('simulated', true));
}

/**
 * Makes the sample cloud and instantiates its service, unless the home says that it was done or declined. Returns the id of
 * the service, which may have been deleted since, or null.
 */
export async function ensureSample(api: Client, file: string, cloud: SampleCloud): Promise<number | null> {
  const sample = readSample(file) ?? writeSample(file, newSample(cloud.hypervisor, false));
  if (sample.declined || sample.service !== null) return sample.service;
  for (const host of cloud.hosts) await ensure(api, '/hosts', host);
  const templates = await cloud.vmTemplates(api);
  const ids = new Map<SampleRole, number>();
  for (const name of sampleRoles)
    ids.set(name, await ensure(api, '/vm-templates', { name, template: templates[name] }));
  const body = serviceTemplate((role) => ids.get(role) ?? 0, cloud.cardinality);
  const template = await ensure(api, '/service-templates', body);
  const there = (await api.list('/services', InstanceOf)).find(({ value }) => value.template_id === template);
  const service =
    there?.value.id ??
    (
      await api.send('POST', `/service-templates/${template}/instantiate`, Accepted, json({}), {
        key: `sample-${sample.key}`,
      })
    ).value.resource.id;
  writeSample(file, { ...sample, service });
  return service;
}
