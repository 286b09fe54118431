import { outOfSupport } from '../doctor/support.js';
import type { ChildCommand } from '../processes/children.js';
import type { Supervised, Supervisor } from '../processes/supervisor.js';
import { EndedEarly } from './await-ready.js';
import type { FetchOptions } from './fetch-binary.js';
import { dataIn, mongodCandidates, noteData } from './find-mongod.js';
import { formToRaise, lineOf, type MongodData } from './mongod-lines.js';
import type { MongoAccess } from './mongodb-access.js';
import { accessOf, awaitMongo, mongoCommand, raiseData, servedData } from './mongodb-server.js';

export type MongodWish = {
  /** Where its data, its key and what is known of them are. */
  directory: string;
  port: number;
  fetch: FetchOptions;
  supervisor: Supervisor;
  say: (line: string) => void;
};

/** One that takes writes; it is not supervised yet. */
export type StartedMongod = { server: Supervised; command: ChildCommand; access: MongoAccess };

/**
 * Starts the best mongod that opens the data in the directory. One that ends on them, which it does before it changes
 * anything that the one before would miss, is followed by the next best.
 */
export async function startBestMongod({ directory, port, fetch, supervisor, say }: MongodWish): Promise<StartedMongod> {
  const before = dataIn(directory);
  let refusal: unknown;
  for await (const { path: binary } of mongodCandidates(directory, fetch)) {
    const settings = { binary, directory, port };
    const access = accessOf(settings);
    const command = mongoCommand(settings, '');
    const server = supervisor.start(command, { supervise: false });
    try {
      await awaitMongo(server.current(), server.log, access);
    } catch (error) {
      if (!(error instanceof EndedEarly) || supervisor.isStopping) throw error;
      refusal ??= error;
      await supervisor.end(server, 5_000);
      say(`${binary} does not start here: another one is tried`);
      continue;
    }
    await keepData(directory, access, before, say);
    return { server, command, access };
  }
  throw refusal;
}

/** Notes what serves the data; gives them the form of their server's line when it has served them before. */
async function keepData(
  directory: string,
  access: MongoAccess,
  before: MongodData | null,
  say: MongodWish['say'],
): Promise<void> {
  const data = await servedData(access);
  noteData(directory, data);
  if (before !== null && lineOf(before.version) !== lineOf(data.version))
    say(`MongoDB goes from ${lineOf(before.version)} to ${data.version}`);
  const form = formToRaise(before, data);
  if (form !== null) {
    say(`the data of MongoDB go from the form of ${data.compatibility} to that of ${form}`);
    await raiseData(access, form);
    noteData(directory, await servedData(access));
  }
  const notice = outOfSupport('MongoDB', data.version, new Date());
  if (notice !== null) say(`${notice.found}; ${notice.advice}, on PATH or by ARCUS_MONGODB_URI`);
}
