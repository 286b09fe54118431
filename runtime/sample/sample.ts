import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { json } from '../../client/message.js';

const Sample = z.object({ key: z.string(), service: z.int().nullable(), declined: z.boolean() });
/** What the home remembers of the sample: its idempotency key, its service once that was instantiated, or that nobody wanted it. */
type Sample = z.infer<typeof Sample>;

const Named = z.object({ id: z.int(), name: z.string() });
const InstanceOf = Named.extend({ template_id: z.int(), state: z.string() });
const Accepted = z.object({ resource: z.object({ id: z.int() }) });

const hosts = ['sample-host-1', 'sample-host-2', 'sample-host-3'].map((name) => ({
  name,
  vm_mad: 'simulated',
  cpu: 8,
  memory: 16_384,
}));

const vmTemplates = [
  { name: 'frontend', template: { CPU: 1, MEMORY: 1_024 } },
  { name: 'db_master', template: { CPU: 1, MEMORY: 2_048 } },
  { name: 'db_slave', template: { CPU: 1, MEMORY: 1_024 } },
  { name: 'worker', template: { CPU: 0.5, MEMORY: 512 } },
];

/** The service of section 1.3.1 of the guide. */
const serviceTemplate = (template: (name: string) => number) => ({
  name: 'my_service',
  deployment: 'straight',
  ready_status_gate: false,
  roles: [
    { name: 'frontend', vm_template: template('frontend') },
    { name: 'db_master', parents: ['frontend'], vm_template: template('db_master') },
    { name: 'db_slave', parents: ['frontend'], cardinality: 3, vm_template: template('db_slave') },
    { name: 'worker', parents: ['db_master', 'db_slave'], cardinality: 10, vm_template: template('worker') },
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
async function ensure(api: Client, path: string, body: { name: string }): Promise<number> {
  const there = (await api.list(path, Named)).find(({ value }) => value.name === body.name);
  return (there ?? (await api.send('POST', path, Named, json(body)))).value.id;
}

const newSample = (declined: boolean): Sample => ({ key: randomUUID(), service: null, declined });

/** Remembers that this home is to have no sample, if it has none yet: later starts make none either. */
export function declineSample(file: string): void {
  if (readSample(file) === null) writeSample(file, newSample(true));
}

/**
 * Makes the sample cloud and instantiates its service, unless the home says that it was done or declined. Returns the id of
 * the service, which may have been deleted since, or null.
 */
export async function ensureSample(api: Client, file: string): Promise<number | null> {
  const sample = readSample(file) ?? writeSample(file, newSample(false));
  if (sample.declined || sample.service !== null) return sample.service;
  for (const host of hosts) await ensure(api, '/hosts', host);
  const ids = new Map<string, number>();
  for (const template of vmTemplates) ids.set(template.name, await ensure(api, '/vm-templates', template));
  const body = serviceTemplate((name) => ids.get(name) ?? 0);
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
