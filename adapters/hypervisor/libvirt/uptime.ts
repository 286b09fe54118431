/** What `virsh nodecpustats` says, in nanoseconds, summed up; null: it says nothing of the kind. */
export function uptimeIn(text: string): number | null {
  const known = ['user', 'system', 'idle', 'iowait'];
  const times = text.split('\n').flatMap((line) => {
    const [name = '', value = ''] = line.split(':').map((part) => part.trim());
    return known.includes(name) && /^\d{1,20}$/.test(value) ? [Number(value)] : [];
  });
  return times.length === 0 ? null : times.reduce((sum, time) => sum + time);
}
