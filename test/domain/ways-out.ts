/** One thing that can come about: what it is called, and the state after it. */
export type Way<S> = { name: string; to: S };

/** A machine: what can happen to it at all, and which of that leads on without luck: offered to people, or done by itself. */
export type Machine<S> = {
  from: S;
  happens: (state: S) => Way<S>[];
  leadsOn: (state: S) => Way<S>[];
  isWell: (state: S) => boolean;
};

/** Every state that can come about, as its text. */
export function reachable<S>({ from, happens, leadsOn }: Machine<S>): Map<string, S> {
  const found = new Map([[JSON.stringify(from), from]]);
  for (const state of found.values())
    for (const { to } of [...happens(state), ...leadsOn(state)]) {
      const text = JSON.stringify(to);
      if (!found.has(text)) found.set(text, to);
    }
  return found;
}

/** States that can come about and from which no way that leads on ends well. */
export function deadEnds<S>(machine: Machine<S>): string[] {
  const states = reachable(machine);
  const before = new Map<string, string[]>();
  for (const [text, state] of states)
    for (const { to } of machine.leadsOn(state)) {
      const next = JSON.stringify(to);
      before.set(next, [...(before.get(next) ?? []), text]);
    }
  const good = new Set([...states].flatMap(([text, state]) => (machine.isWell(state) ? [text] : [])));
  for (const text of good) for (const earlier of before.get(text) ?? []) good.add(earlier);
  return [...states.keys()].filter((text) => !good.has(text));
}
