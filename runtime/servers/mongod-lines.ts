/** What a home says of its data: the server that served it last, and the version whose form the data have. */
export type MongodData = { version: string; compatibility: string };

/** `8.0` of `8.0.32`. */
export const lineOf = (version: string): string => version.split('.').slice(0, 2).join('.');

/** The lines that Arcus fetches, newest first; data go from one to the next before it, never past one. */
export const fetchedLines = ['8.0', '7.0', '6.0'] as const;

/** What data are taken to be of that were made before homes said so: all that was fetched then. */
export const firstData: MongodData = { version: '6.0.0', compatibility: '6.0' };

const number = (line: string): number => {
  const [major = 0, minor = 0] = line.split('.').map(Number);
  return major * 1000 + minor;
};

/** Whether a server of this line opens data of that one: its own, and what is at most one major version older. */
export const opens = (line: string, compatibility: string): boolean =>
  number(line) >= number(compatibility) &&
  Math.floor(number(line) / 1000) - Math.floor(number(compatibility) / 1000) <= 1;

/** Whether a server of this line runs on this system. MongoDB 8 refuses Linux 7 (SERVER-121912). */
const runsOn = (line: string, { platform, release }: System): boolean =>
  platform !== 'linux' || Number.parseInt(release, 10) < 7 || number(line) < 8_000;

/** As Node.js names it: `linux`, and `6.1.0-18-amd64`. */
export type System = { platform: string; release: string };

/**
 * The lines of which a server may be taken for these data (null: there are none yet), best first. Data go up one line at a
 * start, and only when they have the form of the line that they are on: until that is raised, they can go back.
 */
export function linesFor(data: MongodData | null, system: System): string[] {
  const possible = fetchedLines.filter((line) => runsOn(line, system));
  if (data === null) return possible;
  const now = lineOf(data.version);
  const settled = data.compatibility === now;
  return possible
    .filter((line) => opens(line, data.compatibility))
    .filter((line) => settled || number(line) <= number(now));
}

/**
 * The form that data should be given once this server serves them, or null to leave them: that of its own line, once it has
 * served them before, so that a server that turns out not to do can be left again.
 */
export function formToRaise(before: MongodData | null, now: MongodData): string | null {
  const line = lineOf(now.version);
  const provenBefore = before !== null && lineOf(before.version) === line;
  // Not to a line that only somebody else provides: without theirs, the data could not be opened any more.
  const isFetched = fetchedLines.some((fetched) => fetched === line);
  return provenBefore && isFetched && number(now.compatibility) < number(line) ? line : null;
}
