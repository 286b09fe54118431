/** What is wrong with one of several disks of a VM, in words from which it can be told which. */
export const wrongWithDisk = (disk: number, what: string): string => `disk ${disk}: ${what}`;

/** Which disk such words are about; null: they are not about one of several. */
export function diskAtFault(reason: string | null): number | null {
  const [, disk] = /^disk (\d{1,9}): /.exec(reason ?? '') ?? [];
  return disk === undefined ? null : Number(disk);
}
