// The rules of .oxlintrc.json on rooms whose imports have an exception for types, made of rooms.json; written there by
// `node .ci/lint-rules.mjs`, compared with it by check-rooms.mjs.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));
export const { rooms, keepers, development, shelves } = read('rooms.json');
const names = [...rooms.map(({ room }) => room), ...development].toSorted((one, other) => (one < other ? -1 : 1));

/** Other rooms than these, however far up. */
const roomsBut = (allowed) => `^(?:\\.\\./)+(?:${names.filter((name) => !allowed.includes(name)).join('|')})/`;

/** Decisions that the faces leave to requests/; what stands on no shelf of domain/ (problems, template text) they share. */
const decisions = {
  regex: `^(?:\\.\\./)+domain/(?:${shelves.join('|')})/`,
  allowTypeImports: true,
  message: 'Faces show and read: what to decide is asked of requests/.',
};

/** A transaction is handed on; what it is to MongoDB is for the store to know. */
const handedOn = {
  regex: '^(?:\\.\\./)+store/mongo/transaction\\.js$',
  allowTypeImports: true,
  message: 'Hand the transaction on to a method of the store: what it is to MongoDB is known there alone.',
};

/** By room: what no file of it may import but as a type. */
const patterns = Object.fromEntries(
  rooms
    .filter(({ types }) => types)
    .map(({ room, imports, why }) => [
      `${room}/**`,
      [
        { regex: roomsBut([room, ...imports]), allowTypeImports: true, message: why },
        ...(room === 'api' ? [decisions] : []),
        ...(imports.includes('store') ? [handedOn] : []),
      ],
    ]),
);

/** The configuration as it should be: whatever else it says stays. */
export function withRoomRules(config) {
  return {
    ...config,
    overrides: config.overrides.map((override) => {
      const made = patterns[override.files[0]];
      const kind = 'typescript/no-restricted-imports';
      if (!made) return override;
      const own = override.rules[kind][1].patterns.filter(({ regex }) => !regex.startsWith('^(?:\\.\\./)+'));
      return { ...override, rules: { ...override.rules, [kind]: ['error', { patterns: [...made, ...own] }] } };
    }),
  };
}

export const lintConfig = () => read('.oxlintrc.json');

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(root, '.oxlintrc.json'), `${JSON.stringify(withRoomRules(lintConfig()), null, 2)}\n`);
