/**
 * The absolute rules on imports: what holds for types too, and circles. Rules with an exception for types are in
 * .oxlintrc.json, because dependency-cruiser cannot tell `import type`.
 */
const rooms =
  '(activities|adapters|api|bench|cli|domain|operations|runtime|schemas|simulator|store|test|worker|workflows)';

/** Files of `room` import nothing from other rooms than these, but for `files`. */
const onlyFrom = (room, allowed, comment, files = []) => ({
  name: `${room}-imports`,
  comment,
  severity: 'error',
  from: { path: `^${room}/` },
  to: { path: `^${rooms}/`, pathNot: [`^(${[room, ...allowed].join('|')})/`, ...files] },
});

module.exports = {
  forbidden: [
    onlyFrom(
      'schemas',
      [],
      'schemas/ is the one description of shapes; every room stands on it, so it stands on none.',
    ),
    onlyFrom(
      'domain',
      ['schemas'],
      'domain/ decides from values: whatever it imported would have to be faked in its tests.',
    ),
    onlyFrom(
      'adapters',
      ['domain', 'schemas'],
      'An adapter serves any caller: it knows none of them, nor the database.',
    ),
    onlyFrom(
      'store',
      ['domain', 'schemas'],
      'The store keeps documents; who changes them, and why, is not its business.',
    ),
    onlyFrom(
      'activities',
      ['adapters', 'store', 'domain', 'schemas'],
      'Activities carry out plans. Workflows know them as types; the other way round would be a circle of rooms.',
    ),
    onlyFrom('simulator', ['schemas'], 'The simulator must be able to be wrong on its own: it shares shapes, no code.'),
    onlyFrom(
      'cli',
      ['schemas', 'runtime'],
      'The command line is a client of the HTTP API like any other; template text it reads as the server does.',
      ['^domain/(template-text|text-scanner)\\.ts$'],
    ),
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
      from: { path: `^${rooms}/` },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-development-dependencies',
      comment: 'A user installs without development dependencies: what the product imports must be there.',
      severity: 'error',
      from: { path: `^${rooms}/`, pathNot: '^(test|bench)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'nothing-unresolved',
      comment: 'An import that is not found fails when it runs, which may be rarely.',
      severity: 'error',
      from: { path: `^${rooms}/` },
      to: { couldNotResolve: true, pathNot: '^\\.\\./dist/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: { path: `^${rooms}/|^node_modules/` },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
