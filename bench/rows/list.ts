import { z } from 'zod';
import { hashPassword } from '../../requests/identity/passwords.js';
import type { Service } from '../../schemas/services/service.js';
import { type Bench, tenVms } from '../bench.js';
import type { Measured } from '../result.js';
import { basic, readUnderLoad } from './show.js';

const listed = 10_000;
const page = 100;
const goal = 40;
const load = { rate: 20, seconds: 8 };

const Identified = z.object({ id: z.int() });

/** Who has 50 of the services, one in two hundred, and may use no other. */
const user = { _id: 1_000_000, name: 'bench-user', password: 'of no worth' };

/**
 * Pages of a list of 10,000 services: the first, every one of the hundred in turn, and the only one of an ordinary user
 * who may see one service in two hundred. The services are copies of one that was deployed, written into MongoDB.
 */
export async function measureList(bench: Bench): Promise<Measured> {
  const { arcus } = bench;
  await writeServices(bench);
  const cursors = await walk(bench);
  const at = (cursor: string) => `${arcus.api}/services?limit=${page}${cursor === '' ? '' : `&cursor=${cursor}`}`;
  const headers = basic(bench);
  const asUser = { authorization: `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}` };
  const first = await readUnderLoad(bench, 'list', `list of ${listed} services, first page of ${page}`, goal, {
    ...load,
    headers,
    url: () => at(''),
    seed: 3,
  });
  const deep = await readUnderLoad(bench, 'list, deep', `the same, all ${cursors.length} pages in turn`, goal, {
    ...load,
    headers,
    url: (index) => at(cursors[index % cursors.length] ?? ''),
    seed: 5,
  });
  const ordinary = await readUnderLoad(bench, 'list, user', 'the same, a user who may see 50 of them', goal, {
    ...load,
    headers: asUser,
    url: () => at(''),
    seed: 7,
  });
  return {
    results: [first, deep, ordinary].flatMap(({ results }) => results),
    notes: [first, deep, ordinary].flatMap(({ notes }) => notes),
  };
}

/** Copies of a service of ten VMs until there are 10,000, one in two hundred of them the ordinary user's. */
async function writeServices({ arcus }: Bench): Promise<void> {
  const id = await arcus.deploy(tenVms);
  await arcus.reach([id], 'RUNNING');
  const services = arcus.db.collection<Service>('services');
  const model = await services.findOne({ _id: id });
  if (!model) throw new Error(`service ${id} is gone`);
  const lacking = listed - (await services.countDocuments());
  const copies = Array.from({ length: lacking }, (_, index) => ({
    ...model,
    _id: 1_000_000 + index,
    ...(index % (listed / 50) === 0 && { uid: user._id, gid: 1 }),
  }));
  await services.insertMany(copies, { ordered: false });
  await arcus.db.collection<{ _id: number }>('users').insertOne({
    _id: user._id,
    ...{ name: user.name, gid: 1, groups: [1], enabled: true, umask: '177', credentials: 0, created_at: new Date() },
    ...{ password_hash: await hashPassword(user.password) },
  });
}

/** The cursor of every page; the first page's is empty. Each page has to be there, and no service twice. */
async function walk({ arcus }: Bench): Promise<string[]> {
  const [cursors, seen] = [[''], new Set<number>()];
  for await (const { items, next } of arcus.client.pages('/services', Identified, { perPage: page })) {
    for (const { value } of items) seen.add(value.id);
    if (next !== null) cursors.push(next);
  }
  if (seen.size !== listed) throw new Error(`the list showed ${seen.size} services, not ${listed}`);
  return cursors;
}
