import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bringIn } from '../adapters/storage/bring-in.js';
import { fsStorage } from '../adapters/storage/fs/fs.js';
import type { Storage } from '../adapters/storage/port.js';
import { s3Storage } from '../adapters/storage/s3/s3.js';
import { sourcesBy } from '../adapters/storage/sources/sources.js';
import { sshStorage } from '../adapters/storage/ssh/ssh.js';
import type { StorageKind } from '../schemas/storage/stored.js';
import { SeaweedFs, s3Bucket, s3Keys } from '../test/support/seaweedfs.js';
import { Sshd } from '../test/support/sshd.js';
import { load } from './conditions.js';

const help = `Usage: node dist/bench/copies.js [--mib 512] [--runs 5] [--aws PROGRAM]

How fast images are brought into datastores and copied within them, beside what an administrator would do by hand: cp, scp, and aws s3 cp
where its program is given. All of it on this machine: sshd and the server of S3 are started on loopback. Times are medians; what Arcus has
made is on disk, with its checksum, so cp is measured with a sync, too.`;

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '512' },
    runs: { type: 'string', default: '5' },
    aws: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const mib = Number(values.mib);
const runs = Number(values.runs);
const quiet = (): void => {};
const { signal } = new AbortController();

type Step = (nth: number) => unknown;

/** Milliseconds that something takes, the median of several. What is `after` each is not counted. */
async function timed(work: Step, after: Step): Promise<number> {
  const times: number[] = [];
  for (let nth = 1; nth <= runs; nth++) {
    const begun = performance.now();
    await Promise.resolve(work(nth));
    times.push(performance.now() - begun);
    await Promise.resolve(after(nth));
  }
  return times.sort((one, other) => one - other)[Math.floor(runs / 2)] ?? 0;
}

async function measure(base: string): Promise<void> {
  const source = join(base, 'source.img');
  const file = openSync(source, 'w');
  for (let at = 0; at < mib; at++) writeSync(file, randomFillSync(Buffer.alloc(2 ** 20)));
  closeSync(file);
  const sources = sourcesBy({ safe: [base], kept: [], allowed: [] });
  const show = (what: string, ms: number): void =>
    console.log(
      `| ${what.padEnd(44)} | ${ms.toFixed(0).padStart(7)} | ${((mib * 1.048576) / (ms / 1_000)).toFixed(0).padStart(6)} |`,
    );
  const run = (program: string, ...given: string[]) => execFileSync(program, given, { stdio: 'ignore' });

  console.log(`${mib} MiB of noise, ${runs} runs, ${cpus().length} cores (${cpus()[0]?.model}), load ${load()}\n`);
  console.log(`| ${'Copy'.padEnd(44)} |      ms |   MB/s |\n| ${'-'.repeat(44)} | ------- | ------ |`);
  const to = join(base, 'copy');
  const gone = () => rmSync(to, { force: true });
  show('cp', await timed(() => run('cp', source, to), gone));
  show('cp, then sync of the file', await timed(() => [run('cp', source, to), run('sync', to)], gone));
  show('sha256sum', await timed(() => run('sha256sum', source), quiet));

  const both = async (ds_mad: StorageKind, storage: Storage): Promise<void> => {
    const image = (id: number) => ({ id, datastore: { id: 1, ds_mad }, epoch: 1 });
    const most = 2 ** 40;
    const wanted = {
      from: { path: source },
      content: 'disk',
      mostBytes: most,
      mostVirtual: most,
      mostPublished: most,
    } as const;
    const drop = (id: number) => storage.remove(image(id), signal);
    const bring = (id: number) => bringIn({ storage, sources }, image(id), wanted, quiet, signal);
    show(`Arcus, path to ${ds_mad}`, await timed(bring, drop));
    await bring(99);
    show(`Arcus, clone within ${ds_mad}`, await timed((id) => storage.copy(image(id), image(99), quiet, signal), drop));
    await drop(99);
  };
  await both('fs', fsStorage(join(base, 'fs')));

  const sshd = await Sshd.start();
  try {
    const [key, known] = [join(base, 'key'), join(base, 'known')];
    writeFileSync(key, sshd.privateKey());
    chmodSync(key, 0o600);
    writeFileSync(known, `[127.0.0.1]:${sshd.port} ${sshd.hostKey()}\n`);
    const { user } = sshd.connection();
    const scp = ['-q', '-F', 'none', '-i', key, '-o', `UserKnownHostsFile=${known}`, '-P', String(sshd.port)];
    show('scp', await timed(() => run('scp', ...scp, source, `${user}@127.0.0.1:${to}`), gone));
    const there = sshd.connection({ directory: join(base, 'ssh') });
    await both(
      'ssh',
      sshStorage(base, async () => there),
    );
  } finally {
    await sshd.stop();
  }

  const server = await SeaweedFs.start();
  try {
    const { endpoint } = server;
    const bucket = { bucket: s3Bucket, prefix: '', region: 'us-east-1', endpoint, force_path_style: true, ...s3Keys };
    const { aws } = values;
    if (aws !== undefined) {
      const env = { ...process.env, AWS_ACCESS_KEY_ID: s3Keys.access_key, AWS_SECRET_ACCESS_KEY: s3Keys.secret_key };
      const s3 = (...given: string[]) =>
        execFileSync(aws, ['--endpoint-url', endpoint, '--region', 'us-east-1', 's3', ...given], {
          env,
          stdio: 'ignore',
        });
      const object = `s3://${s3Bucket}/by-hand`;
      show(
        'aws s3 cp',
        await timed(
          () => s3('cp', source, object),
          () => s3('rm', object),
        ),
      );
    }
    await both(
      's3',
      s3Storage(join(base, 's3'), async () => bucket),
    );
  } finally {
    await server.stop();
  }
  console.log(`\nload at the end ${load()}`);
}

if (values.help) console.log(help);
else {
  const base = mkdtempSync(join(tmpdir(), 'arcus-copies-'));
  mkdirSync(join(base, 'fs'));
  try {
    await measure(base);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}
