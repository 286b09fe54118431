// The rules of .oxlintrc.json on rooms whose imports have an exception for types, made of rooms.json; written there by
// `node .ci/lint-rules.mjs`, compared with it by check-rooms.mjs.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));
export const { rooms, keepers, development } = read('rooms.json');
const names = [...rooms.map(({ room }) => room), ...development].toSorted((one, other) => (one < other ? -1 : 1));

/** Other rooms than these, however far up. */
const roomsBut = (allowed) => `^(?:\\.\\./)+(?:${names.filter((name) => !allowed.includes(name)).join('|')})/`;

/** Of a room nothing but these files; who imports which of them, dependency-cruiser sees to. */
const nothingBut = (room, files) => [`**/${room}/**`, ...files.map((file) => `!**/${file.replace(/\.ts$/, '.js')}`)];
const roomsOf = (files) => [...new Set(files.map((file) => file.split('/')[0]))];

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
    .map(({ room, imports, files = {}, why }) => {
      const single = Object.keys(files);
      const inPart = roomsOf(single);
      const whole = { regex: roomsBut([room, ...imports, ...inPart]), allowTypeImports: true, message: why };
      const parts = inPart.map((other) => ({
        group: nothingBut(
          other,
          single.filter((file) => file.startsWith(`${other}/`)),
        ),
        allowTypeImports: true,
        message: why,
      }));
      return [`${room}/**`, [whole, ...parts, ...(imports.includes('store') ? [handedOn] : [])]];
    }),
);

/** The configuration as it should be: whatever else it says stays. */
export function withRoomRules(config) {
  return {
    ...config,
    overrides: config.overrides.map((override) => {
      const made = patterns[override.files[0]];
      const kind = 'typescript/no-restricted-imports';
      if (!made) return override;
      const own = override.rules[kind][1].patterns.filter(({ regex }) => regex && !regex.startsWith('^(?:\\.\\./)+'));
      return { ...override, rules: { ...override.rules, [kind]: ['error', { patterns: [...made, ...own] }] } };
    }),
  };
}

export const lintConfig = () => read('.oxlintrc.json');

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(root, '.oxlintrc.json'), `${JSON.stringify(withRoomRules(lintConfig()), null, 2)}\n`);
