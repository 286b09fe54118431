import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { connectMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';

/** One turn of a race: begins after so many milliseconds, so that now one process is first and now the other. */
const Turn = z.object({ turn: z.int(), after: z.number(), task: z.unknown() });
export type Turn = z.infer<typeof Turn>;

export const TurnDone = z.object({ turn: z.int(), result: z.unknown() });

/**
 * Makes this process one of those that race on a database: it says `ready`, and then takes turns, several at once, as
 * the test that started it sends them. `play` does a turn on a store with a connection of this process's own.
 */
export async function race<T extends z.ZodType>(
  shape: T,
  play: (store: Store, task: z.infer<T>) => Promise<unknown>,
): Promise<void> {
  const connection = await connectMongodb(z.string().parse(process.env.ARCUS_MONGODB_URI));
  const store = createStore(connection);
  const tell = (message: unknown) => process.send?.(message);
  const take = async (message: unknown) => {
    const { turn, after, task } = Turn.parse(message);
    await sleep(after);
    tell({ turn, result: await play(store, shape.parse(task)) });
  };
  // A turn that fails ends this process, which the test notices.
  process.on('message', (message) => void take(message));
  // The test has ended, in whatever way.
  process.on('disconnect', () => process.exit(0));
  tell('ready');
}
