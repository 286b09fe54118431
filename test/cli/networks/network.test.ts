import { afterEach, beforeEach, expect, it } from 'vitest';
import { office, whyOffice } from '../../../api/native/networks/networks-examples.js';
import { runArcus } from '../run-arcus.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { page } from '../stub-objects.js';

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /virtual-networks', page(office));
  api.on(`GET /virtual-networks/${office.id}`, { body: office });
  api.on('POST /virtual-networks', { status: 201, body: office });
  api.on(`PUT /virtual-networks/${office.id}/address-ranges/0`, { body: office });
});
afterEach(() => api.stop());

const run = (line: string) => runArcus(line.split(' ').slice(1), api.environment);
const sent = () =>
  api.asked.flatMap(({ method, path, body }) => (method === 'GET' ? [] : [[method, path, body && JSON.parse(body)]]));

it('a network is made with a range of which the type is what was said of it', async () => {
  const { code } = await run('arcus network create office --ip 192.168.0.10 --size 100 --attribute DNS=9.9.9.9');
  expect(code).toBe(0);
  expect(sent()).toEqual([
    [
      'POST',
      '/virtual-networks',
      {
        name: 'office',
        attributes: { DNS: '9.9.9.9' },
        address_ranges: [{ type: 'IP4', size: 100, ip: '192.168.0.10' }],
      },
    ],
  ]);
});

it('a range without a size is no range: nothing is made', async () => {
  const { code, err } = await run('arcus network create office --ip 192.168.0.10');
  expect([code, err]).toEqual([2, expect.stringMatching(/^arcus: A range of addresses has a size\.\nSuch as: arcus /)]);
  expect(sent()).toEqual([]);
});

it('a range is resized by its id', async () => {
  expect((await run('arcus network updatear office 0 --size 20')).code).toBe(0);
  expect(sent()).toEqual([['PUT', `/virtual-networks/${office.id}/address-ranges/0`, { size: 20 }]]);
});

it('what is in the way names the command that shows the network', async () => {
  const detail = 'Virtual network 0 is used by VM 3.';
  api.on(`DELETE /virtual-networks/${office.id}`, problem(409, 'in_use', detail));
  const { code, err } = await run('arcus network delete office --yes');
  expect([code, err]).toEqual([4, `arcus: ${detail}\nSee more with: arcus network show ${office.id}\n`]);
});

it('why none is to be had is told with what can be done', async () => {
  const action = { ...whyOffice.actions[0], name: 'release_address', command: 'arcus network release 0 192.168.0.20' };
  api.on(`GET /virtual-networks/${office.id}/why`, {
    body: { ...whyOffice, text: 'None is free.', actions: [action] },
  });
  const { code, out } = await run('arcus network why office');
  expect([code, out]).toEqual([
    0,
    expect.stringMatching(/^None is free\.\n\nWhat you can do:\n {2}arcus network release 0 /),
  ]);
});
