/**
 * How much of processors domains have used since they were last looked at: libvirt tells what each has used in all. What was seen last is kept in
 * the process that looks; one that has not looked before tells of none.
 */
export function usage(): (uuid: string, cpuTime: number | null) => number {
  const seen = new Map<string, { at: bigint; used: number }>();
  return (uuid, cpuTime) => {
    const before = seen.get(uuid);
    if (cpuTime === null) {
      seen.delete(uuid);
      return 0;
    }
    const at = process.hrtime.bigint();
    seen.set(uuid, { at, used: cpuTime });
    if (seen.size > most) seen.delete(seen.keys().next().value ?? '');
    if (!before || cpuTime < before.used || at <= before.at) return 0;
    return Math.round((100 * (cpuTime - before.used)) / Number(at - before.at));
  };
}

/** Of domains that are gone nobody hears any more. */
const most = 100_000;
