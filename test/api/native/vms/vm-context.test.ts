import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorld, type World } from '../../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
});
afterAll(() => world.stop());

const key = "ssh-ed25519 AAAA oneadmin's";
const make = async (CONTEXT: object, more: object = {}): Promise<number> => {
  const template = { CPU: 1, MEMORY: 64, CONTEXT, ...more };
  const body = { name: Object.keys(CONTEXT).join('-'), template };
  const { id } = (await world.ask('oneadmin', 'post', '/vm-templates', body)).body;
  return (await world.ask('oneadmin', 'post', '/vms', { template_id: id, name: 'web' })).body.resource.id;
};

it('a guest is told what its template says, with what that refers to as it is when it is asked for', async () => {
  const vm = await make(
    { NETWORK: 'YES', KEY: '$USER[SSH_PUBLIC_KEY]', WHO: '$UNAME has $NAME in $CITY' },
    { CITY: 'Vigo' },
  );
  await world.ask('oneadmin', 'patch', '/users/0', { attributes: { SSH_PUBLIC_KEY: key } });
  await world.ask('oneadmin', 'patch', `/vms/${vm}`, { user_template: { CITY: 'Lugo' } });
  const { status, body } = await world.ask('oneadmin', 'get', `/vms/${vm}/context`);
  expect([status, body.variables]).toEqual([200, { KEY: key, NETWORK: 'YES', WHO: 'oneadmin has web in Lugo' }]);
  expect(body.script).toContain(`KEY='ssh-ed25519 AAAA oneadmin'\\''s'\n`);
});

it('what cannot be read is refused where it is said', async () => {
  const refused = await world.ask('oneadmin', 'post', '/vm-templates', {
    ...{ name: 'wrong', template: { CPU: 1, MEMORY: 64, CONTEXT: { IP: '$NIC[IP' } } },
  });
  expect(refused.body).toMatchObject({ status: 400, errors: [{ pointer: '/template/CONTEXT/IP' }] });
});

it('what would be too large is not put together, and said', async () => {
  const vm = await make({ ALL: '$LONG'.repeat(30) }, { LONG: 'x'.repeat(10_000) });
  const { body } = await world.ask('oneadmin', 'get', `/vms/${vm}/context`);
  expect(body).toMatchObject({
    status: 409,
    type: '/problems/wrong_state',
    detail: expect.stringContaining('262,144'),
  });
});
