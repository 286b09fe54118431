import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { checkout } from '../../adapters/process/checkout.js';
import { Config } from '../../schemas/config.js';

const Condition = z.object({
  condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
});
const Service = z.object({
  image: z.string(),
  build: z.string().optional(),
  command: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  restart: z.string(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), Condition).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
});
const Compose = z.object({ services: z.record(z.string(), Service), volumes: z.record(z.string(), z.null()) });

const text = readFileSync(join(checkout, 'docker-compose.yml'), 'utf8');
const { services, volumes } = Compose.parse(parse(text, { merge: true }));
const names = Object.keys(services);
const ours = Object.entries(services).filter(([, { image }]) => image === 'arcus');
const dockerfile = readFileSync(join(checkout, 'Dockerfile'), 'utf8');

describe('docker-compose.yml', () => {
  it('has Temporal on PostgreSQL, three MongoDB members, two APIs and two workers', () => {
    for (const name of ['postgresql', 'temporal', 'temporal-ui', 'mongodb-replica-set', 'prepare', 'release'])
      expect(names).toContain(name);
    const counted = (prefix: RegExp) => names.filter((name) => prefix.test(name)).length;
    expect(counted(/^mongodb-\d$/)).toBe(3);
    expect(counted(/^api-\d$/)).toBe(2);
    expect(counted(/^worker-\d$/)).toBe(2);
    expect(services.temporal?.environment.DB).toBe('postgres12');
    expect(services.temporal?.environment.POSTGRES_SEEDS).toBe('postgresql');
  });

  it('names every member in the address of MongoDB and in the replica set', () => {
    const members = names.filter((name) => /^mongodb-\d$/.test(name));
    for (const [name, { environment }] of ours) {
      if (name === 'simulator') continue;
      const { hostname, searchParams } = new URL((environment.ARCUS_MONGODB_URI ?? '').replace(/,[^/]*/, ''));
      expect(hostname, name).toBe(members[0]);
      expect(searchParams.get('replicaSet')).toBe('rs0');
      for (const member of members) expect(environment.ARCUS_MONGODB_URI).toContain(member);
    }
    for (const member of members)
      expect(services[member]?.command).toEqual([
        ...['mongod', '--replSet', 'rs0', '--bind_ip_all', '--keyFile', '/tmp/key'],
        ...['--setParameter', 'transactionLifetimeLimitSeconds=5'],
        ...['--setParameter', 'enableLocalhostAuthBypass=false'],
      ]);
    expect(services['mongodb-replica-set']?.command?.[0]).toContain("_id: 'rs0'");
  });

  it('makes of the password the key that its job and the members know each other by', () => {
    const [, , script = ''] = services['mongodb-1']?.entrypoint ?? [];
    const [first = ''] = script.replaceAll('$$', '$').split(' > /tmp/key');
    const environment = { ...process.env, ARCUS_DATABASE_PASSWORD: 'of a test' };
    const made = execFileSync('bash', ['-ec', first], { env: environment, encoding: 'utf8' }).trim();
    expect(made).toBe(createHash('sha256').update('of a test').digest('hex'));
    expect(services['mongodb-replica-set']?.command?.[0]).toContain("createHash('sha256').update(pwd).digest('hex')");
  });

  it('has no password in it, and none in arguments', () => {
    for (const [name, { environment, command = [], entrypoint = [] }] of Object.entries(services)) {
      expect([...command, ...entrypoint].join(' '), name).not.toMatch(/(?<!\$)\$\{?ARCUS_(DATABASE|SIMULATOR)/);
      for (const [setting, value] of Object.entries(environment))
        if (/PASSWORD|PWD|TOKEN$|KEY$|URI$/.test(setting) && value !== '') expect(value, setting).toMatch(/\$\{ARCUS_/);
    }
    for (const [name, { environment }] of ours) {
      expect(environment.ARCUS_SIMULATOR_TOKEN, name).toMatch(/:\?/);
      expect(environment.ARCUS_MONGODB_URI, name).toMatch(/arcus:\$\{ARCUS_DATABASE_PASSWORD\}@/);
    }
  });

  it('gives our processes settings that they accept, under names that exist', () => {
    for (const [name, { environment }] of ours) {
      const filled = Object.fromEntries(
        Object.entries(environment).map(([key, value]) => [key, value.replace(/\$\{\w+:-([^}]*)\}/, '$1')]),
      );
      for (const key of Object.keys(filled)) expect(Object.keys(Config.shape), name).toContain(key);
      const given = Object.fromEntries(Object.entries(filled).filter(([, value]) => value !== ''));
      expect(Config.safeParse(given).error, name).toBeUndefined();
    }
  });

  it('runs programs of ours that exist', () => {
    for (const [name, { command = [] }] of ours) {
      const source = (command[0] ?? '').replace(/^dist\/(.*)\.js$/, '$1.ts');
      expect(existsSync(join(checkout, source)), `${name}: ${command[0]}`).toBe(true);
    }
    expect(dockerfile).toContain('ENTRYPOINT ["node", "--enable-source-maps"]');
  });

  it('waits only for what exists, in no circle, for health only where there is a check, and for an end only of jobs', () => {
    const settled = new Set<string>();
    for (let round = 0; round < names.length; round++)
      for (const [name, { depends_on }] of Object.entries(services))
        if (Object.keys(depends_on).every((other) => settled.has(other))) settled.add(name);
    expect([...settled].sort()).toEqual([...names].sort());
    for (const { depends_on } of Object.values(services))
      for (const [other, { condition }] of Object.entries(depends_on)) {
        if (condition === 'service_healthy') expect(services[other]?.healthcheck, other).toBeDefined();
        if (condition === 'service_completed_successfully') expect(services[other]?.restart, other).toBe('on-failure');
      }
  });

  it('prepares before workers and APIs, and makes their version current after the workers poll', () => {
    for (const name of ['worker-1', 'worker-2', 'api-1', 'api-2'])
      expect(services[name]?.depends_on.prepare?.condition).toBe('service_completed_successfully');
    expect(Object.keys(services.release?.depends_on ?? {}).sort()).toEqual(['worker-1', 'worker-2']);
  });

  it('keeps data in named volumes, publishes on loopback only, and has no password in it', () => {
    for (const [name, service] of Object.entries(services)) {
      for (const volume of service.volumes) expect(Object.keys(volumes), name).toContain(volume.split(':')[0]);
      for (const port of service.ports) expect(port, name).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
      for (const [key, value] of Object.entries(service.environment))
        if (/PASSWORD|PWD/.test(key)) expect(value, name).toMatch(/^\$\{ARCUS_DATABASE_PASSWORD:\?/);
    }
    const published = Object.values(services).flatMap(({ ports }) => ports.map((port) => port.split(':')[1]));
    expect(new Set(published).size).toBe(published.length);
  });
});

describe('the Dockerfile', () => {
  it('installs and builds with the script that npm start uses, and does not run as root', () => {
    expect(dockerfile).toContain('RUN node runtime/bootstrap.mjs compile');
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).not.toMatch(/npm ci\b(?!`)/);
    const [, major] = /^FROM node:(\d+)/m.exec(dockerfile) ?? [];
    expect(Number(major)).toBeGreaterThanOrEqual(20);
  });
});
