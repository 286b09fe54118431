/**
 * The absolute rules on imports: what holds for types too, and circles; of which rooms and shelves there are, see rooms.json.
 * Rules with an exception for types are in .oxlintrc.json, because dependency-cruiser cannot tell `import type`.
 */
const { rooms, keepers, development, shelves, faces } = require('./rooms.json');

const anyRoom = `^(${[...rooms.map(({ room }) => room), ...development].join('|')})/`;
/** A folder is given with its slash. */
const exactly = (paths = []) => paths.map((path) => `^${path.replaceAll('.', '\\.')}${path.endsWith('/') ? '' : '$'}`);

/** Of a room without an exception for types: nothing but these rooms and files. */
const roomRules = rooms
  .filter(({ types }) => !types)
  .map(({ room, imports, files, except, why }) => ({
    name: `${room}-imports`,
    comment: why,
    severity: 'error',
    from: { path: `^${room}/`, pathNot: exactly(except) },
    to: { path: anyRoom, pathNot: [`^(${[room, ...imports].join('|')})/`, ...exactly(Object.keys(files ?? {}))] },
  }));

/** A file of another room that one room imports beside the rooms that it may: it is there for those who are named. */
const fileRules = rooms.flatMap(({ room, files = {}, except, why }) =>
  Object.entries(files).map(([file, by]) => ({
    name: `${room}-imports-${file}`,
    comment: `${by.join(' and ')} alone. ${why}`,
    severity: 'error',
    from: { path: `^${room}/`, pathNot: [...exactly(by), ...exactly(except)] },
    to: { path: exactly([file]) },
  })),
);

/** The shelves of a face are in its folder. */
const inFace = `(${faces.map((face) => `${face}/`).join('|')})?`;

/** In every room the same subsystems, each of which knows those before it. What stands on no shelf knows all. */
const shelfRules = shelves.slice(0, -1).map((shelf, at) => ({
  name: `${shelf}-comes-before`,
  comment: `A subsystem knows those before it: ${shelves.join(', ')}.`,
  severity: 'error',
  from: { path: `^[a-z]+/${inFace}${shelf}/`, pathNot: `^(${development.join('|')})/` },
  to: { path: `^[a-z]+/${inFace}(${shelves.slice(at + 1).join('|')})/`, pathNot: `^(${development.join('|')})/` },
}));

/** What a package does is known to one room, and to the files that prepare it. */
const keeperRules = keepers.map(({ packages, room, files, why }) => ({
  name: `${packages[0]}-is-kept-by-${room}`,
  comment: why,
  severity: 'error',
  from: { path: anyRoom, pathNot: [`^(${[room, ...development].join('|')})/`, ...exactly(files)] },
  to: { path: `(^|/)node_modules/(${packages.join('|')})/` },
}));
/** A face can be added, or taken away, without the others. */
const faceRules = [
  { from: 'http', to: faces, comment: 'The shell is around any face: it knows none.' },
  ...faces.map((face) => ({
    ...{ from: face, to: faces.filter((other) => other !== face) },
    comment: 'What two faces share is in the shell, or asked of requests/.',
  })),
]
  .filter(({ to }) => to.length > 0)
  .map(({ from, to, comment }) => ({
    ...{ name: `${from}-knows-no-other-face`, comment, severity: 'error' },
    from: { path: `^api/${from}/` },
    to: { path: `^api/(${to.join('|')})/` },
  }));

module.exports = {
  forbidden: [
    ...roomRules,
    ...fileRules,
    ...shelfRules,
    ...keeperRules,
    ...faceRules,
    {
      name: 'nobody-imports-tests',
      comment: 'What only tests need is not part of the product.',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'workers-are-processes',
      comment: 'A worker is started, never imported: two in one process would share what must fail apart.',
      severity: 'error',
      from: { pathNot: '^(worker|test|bench)/' },
      to: { path: '^worker/' },
    },
    {
      name: 'no-circles',
      comment: 'Modules in a circle cannot be read, tested or loaded one at a time.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'declared-dependencies',
      comment: 'A package that comes only with another one disappears with its next version.',
      severity: 'error',
      from: { path: anyRoom },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-development-dependencies',
      comment: 'A user installs without development dependencies: what the product imports must be there.',
      severity: 'error',
      from: { path: anyRoom, pathNot: '^(test|bench)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'nothing-unresolved',
      comment: 'An import that is not found fails when it runs, which may be rarely.',
      severity: 'error',
      from: { path: anyRoom },
      to: { couldNotResolve: true, pathNot: '^\\.\\./dist/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: { path: `${anyRoom}|^node_modules/` },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
