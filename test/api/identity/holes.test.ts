import { readFileSync } from 'node:fs';
import type request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { permissionsOf } from '../../../domain/identity/permission-bits.js';
import { within } from '../../../store/mongo/transaction.js';
import { makeOwnedService } from '../../support/owned-service.js';
import { addGroup, addUser } from '../../support/people.js';
import { createWorld, type World } from '../world.js';
import { type Name, named, tries } from './holes-table.js';

// What a user without rights tries, to have more than is his. docs/identity.md has the same list.

let world: World;
const log: string[] = [];
/** Ids by name. `team` is mallory’s group, which boss manages; victim is in `elsewhere`. */
const id: Record<string, number> = { oneadmin: 0 };
let victimsVm = -1;
let victimsOperation = '';
let victimsToken = { id: -1, token: '' };

beforeAll(async () => {
  world = await createWorld({ withTemporal: true, log });
  const { directory } = world;
  const [team, elsewhere] = [await addGroup(directory, 'team'), await addGroup(directory, 'elsewhere')];
  Object.assign(id, { team: team._id, elsewhere: elsewhere._id });
  const groups: Record<(typeof named)[number], number[]> = {
    mallory: [team._id],
    boss: [team._id],
    victim: [elsewhere._id],
    // In the team, and where boss has nothing to say.
    both: [team._id, elsewhere._id],
    // In the team, and an administrator.
    root: [team._id, 0],
    // In the team, with a rule of his own.
    ruled: [team._id],
    // By rules, manages every user and every group.
    helpdesk: [elsewhere._id],
  };
  for (const name of named)
    id[name] = (await addUser(directory, name, { gid: groups[name][0] ?? 1, groups: groups[name] }))._id;
  const admins = [id.boss ?? -1];
  const create = { users: ['VM' as const, 'TEMPLATE' as const, 'DOCUMENT' as const], admins: [] };
  await directory.version.change(async (session) => {
    await directory.groups.update(team._id, { admins, create }, session);
    await directory.groups.update(elsewhere._id, { create }, session);
  });
  for (const rule of [
    `#${id.ruled} VM/* USE+MANAGE`,
    `#${id.helpdesk} USER/* USE+MANAGE+ADMIN+CREATE`,
    `#${id.helpdesk} GROUP/* USE+MANAGE`,
    `#${id.helpdesk} ACL/* USE+MANAGE+ADMIN+CREATE`,
  ])
    await made('oneadmin', '/acls', { rule });
  const template = (await made('victim', '/vm-templates', { name: 'mine', template: { CPU: 1, MEMORY: 64 } })).id;
  const vm = await world.ask('victim', 'post', '/vms', { template_id: template }).set('Idempotency-Key', 'the-key');
  [victimsVm, victimsOperation] = [vm.body.resource.id, vm.body.id];
  await made('victim', `/vms/${victimsVm}/chmod`, { octet: '644' });
  victimsToken = await made('victim', '/tokens', { name: 'mine' });
  Object.assign(id, { template, vm: victimsVm });
});
afterAll(() => world.stop());

async function made(who: Name | 'leaver' | 'gone-by', path: string, body: object) {
  const response = await world.ask(who, 'post', path, body);
  expect(response.status, JSON.stringify(response.body)).toBeLessThan(300);
  return response.body;
}

const filled = (text: string): string => text.replaceAll(/\{(\w+)\}/g, (_all, name: string) => String(id[name]));

/** Numbers stand for names where the body wants numbers. */
const bodyOf = (body: object): object => JSON.parse(filled(JSON.stringify(body).replaceAll(/"(\{\w+\})"/g, '$1')));

describe('nobody can', () => {
  it.each(tries.map(([what, ...its]) => [what, its] as const))('%s', async (_what, its) => {
    Object.assign(id, { operation: victimsOperation });
    for (const [who, method, path, body, status = 403] of its) {
      const before = await world.digests();
      const response = await world.ask(who, method, filled(path), body && bodyOf(body));
      const said = `${who} ${method} ${path} ${JSON.stringify(body)}: ${JSON.stringify(response.body)}`;
      expect(response.status, said).toBe(status);
      const { login_attempts: _now, ...after } = await world.digests();
      const { login_attempts: _then, ...then } = before;
      expect(after, said).toEqual(then);
    }
  });
});

const status = async (asked: request.Test): Promise<number> => (await asked).status;

/** More that is tried, each a test of its own. */
const more = {
  'make a token with a token': async () => {
    for (const asked of [
      world.bearer(victimsToken.token, 'post', '/tokens', { name: 'more' }),
      world.ask('victim', 'post', '/tokens', { name: 'more' }, victimsToken.token),
    ])
      expect(await status(asked)).toBe(403);
  },

  'use a token that has expired or was revoked, or somebody else’s beside one’s own name': async () => {
    const { tokens, version } = world.directory;
    const { id: first, token: expired } = await made('mallory', '/tokens', { name: 'expires' });
    const { id: second, token: revoked } = await made('mallory', '/tokens', { name: 'revoked' });
    for (const token of [expired, revoked]) expect(await status(world.bearer(token, 'get', '/user'))).toBe(200);
    await version.change((transaction) =>
      tokens.model.updateOne({ _id: first }, { $set: { expires_at: new Date(Date.now() - 1) } }, within(transaction)),
    );
    await world.ask('mallory', 'delete', `/tokens/${second}`);
    for (const token of [expired, revoked, `${revoked.slice(0, -1)}x`])
      expect(await status(world.bearer(token, 'get', '/user'))).toBe(401);
    expect(await status(world.ask('mallory', 'get', '/user', undefined, victimsToken.token))).toBe(401);
  },

  'learn secret attributes of hosts, or the values of others without USE on them, by what a VM of one’s own requires':
    async () => {
      const attributes = { BMC_PASSWORD: 'hunter2', RACK: 'rack-nine' };
      const host = { name: 'guarded', vm_mad: 'simulated', cpu: 8, memory: 8192, attributes };
      const { id: hid } = await made('oneadmin', '/hosts', host);
      await world.store.hosts.update(hid, { state: 'MONITORED' });
      const told = async (who: Name, asks: string) => {
        const template = { CPU: 1, MEMORY: 64, SCHED_REQUIREMENTS: asks };
        const { id: template_id } = await made('mallory', '/vm-templates', {
          name: `asks-${who}-${asks.length}`,
          template,
        });
        const vm = await world.ask('mallory', 'post', '/vms', { template_id });
        return (await world.ask(who, 'get', `/vms/${vm.body.resource.id}/placement`)).text;
      };
      for (const asks of ['BMC_PASSWORD = "x"', 'BMC_PASSWORD = "h*"', 'BMC_PASSWORD > 1'])
        for (const who of ['mallory', 'oneadmin'] as const) {
          const text = await told(who, asks);
          expect(text).toContain('has no attribute BMC_PASSWORD');
          expect(text).not.toContain('hunter2');
        }
      expect(await told('mallory', 'RACK = "r1"')).not.toContain('rack-nine');
      expect(await told('oneadmin', 'RACK = "r2"')).toContain('it is rack-nine');
    },
  'learn the name of a service template that one may not see, or anything of a service by a VM of it that is shared alone':
    async () => {
      const { id: mine } = await made('mallory', '/vm-templates', { name: 'lent', template: { CPU: 1, MEMORY: 64 } });
      await made('mallory', `/vm-templates/${mine}/chmod`, { octet: '644' });
      await made('victim', '/service-templates', { name: 'secret-plan', roles: [{ name: 'web', vm_template: mine }] });
      const removed = await world.ask('mallory', 'delete', `/vm-templates/${mine}`);
      expect(removed.status).toBe(204);
      expect(removed.text).not.toContain('secret-plan');

      const owner = { uid: id.victim ?? -1, gid: id.elsewhere ?? -1, permissions: permissionsOf('600') };
      const { vms } = await makeOwnedService(world.store, 900, {
        owner,
        vms: 3,
        name: 'secret-shop',
        state: 'WARNING',
      });
      const [shared] = vms;
      await world.store.vms.model.updateOne({ _id: shared }, { $set: { permissions: permissionsOf('604') } });
      const why = await world.ask('mallory', 'get', `/vms/${shared}/why`);
      expect(why.status).toBe(200);
      expect(why.text).not.toContain('secret-shop');
      expect(why.body.text).not.toMatch(/service|WARNING/i);
      expect(await status(world.ask('mallory', 'get', '/services/900/why'))).toBe(403);
    },

  'go on as a user who is disabled, with a password that is remembered or a token': async () => {
    await addUser(world.directory, 'leaver', { gid: id.team ?? -1 });
    const { token } = await made('leaver', '/tokens', { name: 'kept' });
    const leaver = (await world.ask('leaver', 'get', '/user')).body.id;
    expect(await status(world.bearer(token, 'get', '/user'))).toBe(200);
    expect(await status(world.ask('boss', 'patch', `/users/${leaver}`, { enabled: false }))).toBe(200);
    expect(await status(world.ask('leaver', 'get', '/user'))).toBe(401);
    expect(await status(world.bearer(token, 'get', '/user'))).toBe(401);
    await world.ask('boss', 'patch', `/users/${leaver}`, { enabled: true });
    expect(await status(world.ask('leaver', 'get', '/user'))).toBe(200);
    expect(await status(world.bearer(token, 'get', '/user'))).toBe(401);
  },

  'read hashes or secrets of tokens in anything that is answered': async () => {
    const paths = [
      '/user',
      '/users',
      `/users/${id.victim}`,
      '/tokens',
      `/users/${id.victim}/tokens`,
      '/groups',
      '/acls',
    ];
    for (const path of paths) {
      const text = JSON.stringify((await world.ask('oneadmin', 'get', path)).body);
      expect(text, path).not.toMatch(/argon2|hash|credentials/);
      expect(text, path).not.toContain(victimsToken.token.slice(-43));
    }
    expect((await world.ask('victim', 'get', '/tokens')).text).not.toContain(victimsToken.token.slice(-43));
  },

  'learn from an answer which names there are': async () => {
    const said = async (name: string) => {
      const { body, headers, status: code } = await world.ask(name, 'get', '/user', undefined, 'guessed');
      return { ...body, request_id: '', code, challenge: headers['www-authenticate'] };
    };
    expect(await said('victim')).toEqual(await said('nobody'));
    const found = await world.ask('boss', 'get', '/users?filter=name=victim|both');
    // both is in the team: that is boss’s business.
    expect(found.body.items.map(({ name }: { name: string }) => name)).toEqual(['both']);
  },

  'guess more often than the limit allows: at once, from a proxy’s mouth, in between, or where the current password is asked for':
    async () => {
      const guess = (n: number, from = `203.0.113.${n}`) =>
        world.ask('helpdesk', 'get', '/user', undefined, `guess-${n}`).set('X-Forwarded-For', from);
      const all = await Promise.all(Array.from({ length: 40 }, (_, n) => status(guess(n))));
      expect(all.filter((code) => code === 401)).toHaveLength(10);
      expect(all.filter((code) => code === 429)).toHaveLength(30);
      expect(await status(world.ask('mallory', 'get', '/user'))).toBe(200);
      expect(await status(guess(50))).toBe(429);

      const change = { password: 'long-enough', current_password: 'guessed' };
      const changes: number[] = [];
      for (let n = 0; n < 12; n++)
        changes.push(await status(world.ask('both', 'put', `/users/${id.both}/password`, change)));
      expect(changes).toEqual([...Array.from({ length: 10 }, () => 403), 429, 429]);
      const late = await world.ask('both', 'get', '/user', undefined, 'guessed');
      expect(late.body).toMatchObject({ status: 429, detail: expect.stringMatching(/^Too many logins from here/) });
      expect(Number(late.headers['retry-after'])).toBeGreaterThan(60);
    },

  'get at the operation of another with his Idempotency-Key': async () => {
    const again = world.ask('mallory', 'post', '/vms', { template_id: id.template }).set('Idempotency-Key', 'the-key');
    expect(await status(again)).toBe(403);
    const own = (await made('mallory', '/vm-templates', { name: 'own', template: { CPU: 1, MEMORY: 64 } })).id;
    const mine = await world.ask('mallory', 'post', '/vms', { template_id: own }).set('Idempotency-Key', 'the-key');
    expect(mine.status).toBe(202);
    expect(mine.body.id).not.toBe(victimsOperation);
  },

  'inherit from a user who is gone by having his name': async () => {
    await addUser(world.directory, 'gone-by', { gid: id.team ?? -1 });
    const { id: template } = await made('gone-by', '/vm-templates', { name: 'left', template: { CPU: 1, MEMORY: 64 } });
    const { token } = await made('gone-by', '/tokens', { name: 'left' });
    const { id: old } = (await world.ask('gone-by', 'get', '/user')).body;
    await world.ask('oneadmin', 'post', `/vm-templates/${template}/chown`, { uid: 0, gid: 0 });
    expect(await status(world.ask('boss', 'delete', `/users/${old}`))).toBe(204);
    expect(await status(world.ask('gone-by', 'get', '/user'))).toBe(401);
    const again = await world.ask('boss', 'post', '/users', { name: 'gone-by', password: 'gone-by-again' });
    expect(again.body.id).not.toBe(old);
    expect(await status(world.bearer(token, 'get', '/user'))).toBe(401);
    const seen = await world.ask('gone-by', 'get', `/vm-templates/${template}`, undefined, 'gone-by-again');
    expect(seen.status).toBe(403);
  },

  'find passwords or tokens in the log': async () => {
    log.length = 0;
    await world.ask('boss', 'post', '/users', { name: 'log-ged', password: 'pass-in-the-log' });
    await world.ask('oneadmin', 'get', '/user', undefined, 'wrong-in-the-log');
    await world.ask('boss', 'put', `/users/${id.mallory}/password`, { password: 'short' });
    await world.bearer(victimsToken.token, 'get', '/user');
    const { token } = await made('mallory', '/tokens', { name: 'logged' });
    const text = log.join('');
    expect(text).toContain('/api/v1/users');
    for (const secret of ['in-the-log', '"short"', token, victimsToken.token, 'authorization', 'argon2'])
      expect(text).not.toContain(secret);
  },
};

describe('nor can anybody', () => {
  it.each(Object.entries(more))('%s', async (_what, tried) => tried());
});

it('the documentation lists all of this, and nothing else', () => {
  const text = readFileSync(new URL('../../../docs/identity.md', import.meta.url), 'utf8');
  const [, section = ''] = /<!-- tried[^>]*-->([\s\S]*?)<!-- \/tried -->/.exec(text) ?? [];
  const rows = section.split('\n').flatMap((line) => /^\| (.+?) +\|/.exec(line)?.[1] ?? []);
  const capital = (what: string): string => `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  expect(rows.slice(2)).toEqual([...tries.map(([what]) => what), ...Object.keys(more)].map(capital));
});
