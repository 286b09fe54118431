import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorld, type World } from '../../world.js';

type Error = { pointer: string; detail: string };
let serial = 0;
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

it('a guest is told of the images that its disks are made of, as they are now', async () => {
  const source = { empty: { size_mb: 10 } };
  const made = await world.ask('oneadmin', 'post', '/images', { name: 'system', source, attributes: { RELEASE: '1' } });
  const { id } = made.body.resource;
  // Its bytes are made by a worker, and there is none here.
  const there = { state: 'READY', operation: null, format: 'qcow2', virtual_size: 10 * 2 ** 20 };
  await world.store.images.model.updateOne({ _id: id }, { $set: there });
  const vm = await make({ SYSTEM: '$IMAGE[NAME] $IMAGE[RELEASE, IMAGE="system"]' }, { DISK: { IMAGE: 'system' } });
  await world.ask('oneadmin', 'patch', `/images/${id}`, { attributes: { RELEASE: '2' } });
  const { body } = await world.ask('oneadmin', 'get', `/vms/${vm}/context`);
  expect(body.variables).toEqual({ SYSTEM: 'system 2' });
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

it('files that a template names are looked at when it is written, as far as it can be told', async () => {
  const source = { empty: { size_mb: 10 } };
  const { id } = (await world.ask('oneadmin', 'post', '/images', { name: 'a disk', source })).body.resource;
  const asked = async (more: object) => {
    const template = { CPU: 1, MEMORY: 64, ...more };
    const { status, body } = await world.ask('oneadmin', 'post', '/vm-templates', { name: `t-${++serial}`, template });
    return status === 201 ? [] : [body.status, ...body.errors.map(({ pointer, detail }: Error) => [pointer, detail])];
  };
  const at = '/template/CONTEXT/FILES_DS';
  expect(await asked({ CONTEXT: { FILES_DS: '$FILE[IMAGE="somebody’s"]' } })).toEqual([]);
  expect(await asked({ CONTEXT: { FILES_DS: '/etc/passwd' } })).toEqual([
    400,
    [at, expect.stringContaining('is to be as $FILE[IMAGE_ID=7]')],
  ]);
  expect(await asked({ CONTEXT: { FILES_DS: '$FILE[IMAGE_ID=999]' } })).toEqual([
    400,
    [at, 'CONTEXT/FILES_DS: there is no image 999'],
  ]);
  expect(await asked({ CONTEXT: { FILES_DS: '$FILE[IMAGE="x", IMAGE_UNAME="nobody"]' } })).toEqual([
    400,
    [at, 'CONTEXT/FILES_DS: there is no image "x" of nobody'],
  ]);
  expect(await asked({ OS: { KERNEL_DS: `$FILE[IMAGE_ID=${id}]` } })).toEqual([
    400,
    ['/template/OS/KERNEL_DS', expect.stringContaining('is OS, and one of type KERNEL is needed')],
  ]);
  expect(await asked({ CONTEXT: { FILES: '/etc/passwd' } })).toEqual([
    400,
    ['/template/CONTEXT/FILES', expect.stringContaining('make images of type CONTEXT')],
  ]);
  expect(await asked({ CONTEXT: { HOST: '$NICS[IP]' } })).toEqual([
    400,
    ['/template/CONTEXT/HOST', expect.stringContaining('there is no such attribute')],
  ]);
});

it('files of a VM that is off are named anew, and refused like those of a new one', async () => {
  const vm = await make({ A: 'b' });
  await world.store.vms.model.updateOne({ _id: vm }, { $set: { state: 'POWEROFF', operation: null } });
  const configure = (FILES_DS: string) =>
    world.ask('oneadmin', 'post', `/vms/${vm}/updateconf`, { template: { CONTEXT: { FILES_DS } } });
  expect((await configure('$FILE[IMAGE_ID=999]')).body).toMatchObject({
    ...{ status: 400, detail: expect.stringContaining('there is no image 999') },
  });
  expect((await configure('$FILE[')).body).toMatchObject({
    ...{ status: 400, errors: [{ pointer: '/template/CONTEXT/FILES_DS' }] },
  });
});
