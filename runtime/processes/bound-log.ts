import { copyFileSync, statSync, truncateSync } from 'node:fs';

/** A log and the one before it. */
const greatest = 10e6;

/**
 * Keeps a log that a process appends to below 10 MB: what it holds becomes `FILE.1`, and it begins again. The few lines
 * written between the copy and the cut are lost.
 */
export function boundLog(file: string): void {
  try {
    if (statSync(file).size < greatest) return;
    copyFileSync(file, `${file}.1`);
    truncateSync(file);
  } catch {
    // Not there yet, or the disk is full: the next look tries again.
  }
}
