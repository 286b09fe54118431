import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { group, host, page, user } from '../stub-objects.js';

// What is sent, and what is told of it. That real answers are such is shown in test/api.

let api: StubApi;
beforeAll(async () => {
  api = await startStubApi();
  for (const [path, one] of [
    ['users', user(2, 'alice')],
    ['groups', group(100, 'web-team')],
  ] as const) {
    api.on(`GET /${path}`, page());
    api.on(`GET /${path}?filter=name%3D%22${one.name}%22&limit=1000`, page(one));
  }
});
afterAll(() => api.stop());
beforeEach(() => {
  api.asked.length = 0;
});

const arcus = (...args: string[]) => runArcus(args, api.environment);
const rights = (text: string) => ({ use: text[0] === 'u', manage: text[1] === 'm', admin: text[2] === 'a' });
const shared = {
  ...host(3, 'mine'),
  ...{ uid: 2, uname: 'alice', gid: 100, gname: 'web-team' },
  permissions: { owner: rights('uma'), group: rights('u--'), other: rights('---') },
};
const sent = () => {
  const { method, path, body } = api.asked.at(-1) ?? {};
  return { method, path, body: JSON.parse(body ?? '') };
};

describe('sharing', () => {
  it.each([
    ['service', '/services', 'service 3 (mine), with its VMs, permits uma u-- ---.'],
    ['service-template', '/service-templates', 'service-template 3 (mine) permits uma u-- ---.'],
    ['vm', '/vms', 'vm 3 (mine) permits uma u-- ---.'],
    ['vm-template', '/vm-templates', 'vm-template 3 (mine) permits uma u-- ---.'],
    ['host', '/hosts', 'host 3 (mine) permits uma u-- ---.'],
    ['cluster', '/clusters', 'cluster 3 (mine) permits uma u-- ---.'],
  ])('arcus %s chmod sets all bits', async (noun, path, told) => {
    api.on(`POST ${path}/3/chmod`, { body: shared });
    const { code, out, err } = await arcus(noun, 'chmod', '3', '740');
    expect({ code, out, err }).toEqual({ code: 0, out: `${told}\n`, err: '' });
    expect(sent()).toEqual({ method: 'POST', path: `${path}/3/chmod`, body: { octet: '740' } });
  });
});

describe('giving away', () => {
  beforeAll(() => api.on('POST /vms/3/chown', { body: shared }));

  it.each([
    [['chown', '3', 'alice'], { uid: 2 }],
    [['chown', '3', '7', 'web-team'], { uid: 7, gid: 100 }],
    [['chgrp', '3', 'web-team'], { gid: 100 }],
    [['chgrp', '3', '101'], { gid: 101 }],
  ])('arcus vm %j names user and group by name or id', async (words, body) => {
    const { code, out } = await arcus('vm', ...words);
    expect({ code, out }).toEqual({ code: 0, out: 'vm 3 (mine) belongs to alice, group web-team.\n' });
    expect(sent()).toEqual({ method: 'POST', path: '/vms/3/chown', body });
  });

  it('sends nothing when there is no such user, or only one whose name begins so', async () => {
    const { code, err } = await arcus('vm', 'chown', '3', 'ali');
    expect(code).toBe(3);
    expect(err).toContain('There is no user called "ali".');
    expect(api.asked.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});
