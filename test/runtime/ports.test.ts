import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isPortFree, keepPorts } from '../../runtime/processes/ports.js';
import { ownDirectory } from '../support/directories.js';

async function occupy(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
}

describe("a home's ports", () => {
  it('are chosen free, each another, and are the same the next time', async () => {
    const file = join(ownDirectory(), 'ports.json');
    const first = await keepPorts(file, ['temporal', 'mongodb', 'api']);
    expect(new Set(first.values()).size).toBe(3);
    for (const port of first.values()) expect(await isPortFree(port)).toBe(true);
    expect(await keepPorts(file, ['temporal', 'mongodb', 'api'])).toEqual(first);
  });

  it('are chosen anew where something else has taken them', async () => {
    const file = join(ownDirectory(), 'ports.json');
    const first = await keepPorts(file, ['temporal', 'mongodb']);
    await occupy(first.get('mongodb') ?? 0);
    const second = await keepPorts(file, ['temporal', 'mongodb']);
    expect(second.get('temporal')).toBe(first.get('temporal'));
    expect(second.get('mongodb')).not.toBe(first.get('mongodb'));
  });

  it('are those given, which are kept for the command line to find', async () => {
    const file = join(ownDirectory(), 'ports.json');
    expect((await keepPorts(file, ['api'], { api: 9_869 })).get('api')).toBe(9_869);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ api: 9_869 });
  });

  it('are chosen when the file holds something else', async () => {
    const file = join(ownDirectory(), 'ports.json');
    writeFileSync(file, '{"api": "nine"');
    expect((await keepPorts(file, ['api'])).get('api')).toBeGreaterThan(1_024);
  });
});
