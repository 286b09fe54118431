/** One thing that can come about: what it is called, and the state after it. */
export type Way<S> = { name: string; to: S };

/** A machine: what can happen to it at all, and which of that leads on without luck: offered to people, or done by itself. */
export type Machine<S> = {
  from: S;
  happens: (state: S) => Way<S>[];
  leadsOn: (state: S) => Way<S>[];
};

/** Every state that can come about, by its text, with the ways that lead on from it and the number of others. */
export type Walk<S> = ReadonlyMap<string, { state: S; on: readonly { name: string; to: string }[]; others: number }>;

export function walk<S>({ from, happens, leadsOn }: Machine<S>): Walk<S> {
  const found = new Map<string, { state: S; on: { name: string; to: string }[]; others: number }>();
  const met = (state: S): string => {
    const text = JSON.stringify(state);
    if (!found.has(text)) found.set(text, { state, on: [], others: 0 });
    if (found.size > 200_000) throw new Error(`there is no end of states, such as ${text}`);
    return text;
  };
  met(from);
  // What is met on the way comes to its turn too.
  for (const seen of found.values()) {
    for (const { to } of happens(seen.state)) {
      met(to);
      seen.others += 1;
    }
    for (const { name, to } of leadsOn(seen.state)) seen.on.push({ name, to: met(to) });
  }
  return found;
}

/** Says how much was walked: a machine that comes to a stop early would find no dead end either. */
export function sayWalked<S>(what: string, states: Walk<S>): void {
  const seen = [...states.values()];
  const on = seen.reduce((sum, each) => sum + each.on.length, 0);
  const others = seen.reduce((sum, each) => sum + each.others, 0);
  console.error(`${what}: ${seen.length} states; ${on} ways that lead on, ${others} that just happen`);
}

/** States that came about and from which no way that leads on ends well, were those of these names not there. */
export function deadEnds<S>(states: Walk<S>, isWell: (state: S) => boolean, without: readonly string[] = []): string[] {
  const before = new Map<string, string[]>();
  for (const [text, { on }] of states)
    for (const { name, to } of on) if (!without.includes(name)) before.set(to, [...(before.get(to) ?? []), text]);
  const good = new Set([...states].flatMap(([text, { state }]) => (isWell(state) ? [text] : [])));
  for (const text of good) for (const earlier of before.get(text) ?? []) good.add(earlier);
  return [...states.keys()].filter((text) => !good.has(text));
}
