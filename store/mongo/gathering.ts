type Asked<Q, R> = { ask: Q; resolve: (result: R) => void; reject: (error: unknown) => void };

/**
 * Work of one kind that many ask for at once, within this process: what is asked for under a key while some is under way there is done
 * together after it. `work` answers one result for each, in their order.
 */
export function createGathering<Q, R>(work: (key: number, asks: readonly Q[]) => Promise<readonly R[]>) {
  const waiting = new Map<number, Asked<Q, R>[]>();

  async function serve(key: number): Promise<void> {
    for (let asked = waiting.get(key) ?? []; asked.length > 0; asked = waiting.get(key) ?? []) {
      waiting.set(key, []);
      try {
        const results = await work(
          key,
          asked.map(({ ask }) => ask),
        );
        asked.forEach(({ resolve, reject }, at) => {
          const result = results[at];
          if (result === undefined) reject(new Error('there is no result for what was asked'));
          else resolve(result);
        });
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    waiting.delete(key);
  }

  return (key: number, ask: Q): Promise<R> =>
    new Promise((resolve, reject) => {
      const gathered = waiting.get(key);
      if (gathered) {
        gathered.push({ ask, resolve, reject });
        return;
      }
      waiting.set(key, [{ ask, resolve, reject }]);
      // Those who ask in the same moment are served together, too.
      queueMicrotask(() => void serve(key));
    });
}
