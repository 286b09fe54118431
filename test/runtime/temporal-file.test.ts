import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, inject, it } from 'vitest';
import { choosePort } from '../../runtime/processes/ports.js';
import { EndedEarly } from '../../runtime/servers/await-ready.js';
import { withTemporalFile } from '../../runtime/servers/temporal-file.js';
import { startTemporal, type TemporalServer, temporalFile } from '../../runtime/servers/temporal-server.js';
import { ownDirectory } from '../support/directories.js';

async function start(directory: string, version: string, lines: string[] = []): Promise<TemporalServer> {
  const [port, uiPort] = [await choosePort(), await choosePort()];
  return withTemporalFile(
    directory,
    version,
    (line) => lines.push(line),
    () => startTemporal({ binary: inject('temporalPath'), directory, port, uiPort }),
    (error) => error instanceof EndedEarly,
  );
}

async function signal(server: TemporalServer, work: (client: Client) => Promise<void>): Promise<void> {
  const connection = await Connection.connect({ address: server.address });
  try {
    await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

const options = { taskQueue: 'nobody', workflowId: 'kept' };

describe("Temporal's file", () => {
  it('keeps what it holds when the server is killed', async () => {
    const directory = ownDirectory();
    const first = await start(directory, '1');
    await signal(first, (client) => client.workflow.start('waits', options).then(() => {}));
    process.kill(first.pid, 'SIGKILL');
    await first.stop();
    const second = await start(directory, '1');
    await signal(second, async (client) => {
      expect((await client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
    });
    await second.stop();
  });

  it('is copied before a server of another version opens it', async () => {
    const directory = ownDirectory();
    await (await start(directory, '1')).stop();
    const copy = join(directory, `${temporalFile}.before-upgrade`);
    const lines: string[] = [];
    await (await start(directory, '1', lines)).stop();
    expect(existsSync(copy)).toBe(false);
    const before = readFileSync(join(directory, temporalFile));
    await (await start(directory, '2', lines)).stop();
    expect(lines).toEqual(['Temporal goes from 1 to 2: its database file is copied first']);
    expect(readFileSync(copy)).toEqual(before);
  });

  it('is put aside and begun anew when the server does not start on it', async () => {
    const directory = ownDirectory();
    writeFileSync(join(directory, temporalFile), 'this is no database, and long enough to be read as one'.repeat(100));
    const lines: string[] = [];
    const server = await start(directory, '1', lines);
    await signal(server, (client) => client.workflow.start('waits', options).then(() => {}));
    await server.stop();
    expect(lines).toEqual(['Temporal does not start on its database file: it is put aside, and an empty one begun']);
    expect(readFileSync(join(directory, `${temporalFile}.unusable`), 'utf8')).toContain('this is no database');
  });

  it('is put back when the server does not start on an empty one either', async () => {
    const directory = ownDirectory();
    const file = join(directory, temporalFile);
    writeFileSync(file, 'precious');
    const ended = new EndedEarly('Temporal ended while starting');
    const failing = withTemporalFile(
      directory,
      '1',
      () => {},
      () => {
        if (!existsSync(file)) writeFileSync(file, 'empty');
        return Promise.reject(ended);
      },
      () => true,
    );
    await expect(failing).rejects.toBe(ended);
    expect(readFileSync(file, 'utf8')).toBe('precious');
    expect(existsSync(`${file}.unusable`)).toBe(false);
  });
});
