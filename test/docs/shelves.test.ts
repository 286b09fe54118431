import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkout } from '../../adapters/process/checkout.js';

const Layout = z.object({ rooms: z.array(z.object({ room: z.string() })), shelves: z.array(z.string()) });
const { rooms, shelves } = Layout.parse(JSON.parse(readFileSync(join(checkout, 'rooms.json'), 'utf8')));

const filesOf = (folder: string, ending: string): string[] =>
  readdirSync(join(checkout, folder), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith(ending));

/** The subsystem on whose shelf a file stands, in whatever room; undefined: on none. */
const shelfOf = (path: string): string | undefined =>
  dirname(path)
    .split('/')
    .find((part) => shelves.includes(part));

/** The rooms that tests are named after. */
const tested = rooms.map(({ room }) => room).filter((room) => existsSync(join(checkout, 'test', room)));

describe.each(tested)('tests of %s', (room) => {
  const tests = filesOf(join('test', room), '.test.ts');

  it('stand in folders that this room has, or on shelves', () => {
    const strange = tests.filter((path) => {
      const folder = dirname(path);
      return shelfOf(path) === undefined && !existsSync(join(checkout, room, folder));
    });
    expect(strange).toEqual([]);
  });

  it('stand on the shelf of the module that they are called like', () => {
    const modules = filesOf(room, '.ts');
    const astray = tests.filter((path) => {
      const name = basename(path, '.test.ts');
      const found = modules.filter((module) => basename(module, '.ts') === name).map(shelfOf);
      return found.length > 0 && !found.includes(undefined) && !found.includes(shelfOf(path));
    });
    expect(astray).toEqual([]);
  });
});

it('looks at tests of most rooms', () => {
  expect(tested).toEqual(expect.arrayContaining(['domain', 'store', 'workflows', 'api', 'cli']));
});
