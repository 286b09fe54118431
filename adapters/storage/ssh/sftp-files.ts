import { dirname, join } from 'node:path';
import { codeOf } from '../disk-fault.js';
import type { Files, OpenFile, OpenFlags } from '../machine/machine.js';
import type { Sftp } from './sftp.js';
import { sftpFile } from './sftp-file.js';
import { type Attributes, answers, attributes, isDirectory, openBits, text, u32 } from './sftp-packets.js';
import { done, expected, extended, succeeded, systemError, Unexplained } from './sftp-status.js';

const { read, write, append, create, exclusive } = openBits;
const bitsOf: Readonly<Record<OpenFlags, number>> = {
  r: read,
  'r+': read | write,
  a: write | append | create,
  ax: write | append | create | exclusive,
  wx: write | create | exclusive,
};

/** Less room than this and a failure that says nothing more is one of room: a directory takes a block, and a file system may keep some back. */
const least = 256 * 1024;
/** As long as a file is that is read whole: what is written beside an image. */
const longestText = 1024 * 1024;

/** Files of another machine, but for what only programs there can do. `session`: the one that is open, or a new one. */
export function sftpFiles(session: () => Promise<Sftp>): Omit<Files, 'allocated' | 'copyWithin'> {
  async function look(path: string, ask: 'lstat' | 'stat' = 'lstat'): Promise<Attributes> {
    const answer = expected(ask, answers.attrs, await (await session()).ask(ask, text(path)));
    if (answer === null) throw systemError('EIO', ask);
    return answer.attributes();
  }
  const isThere = (path: string): Promise<boolean> =>
    look(path).then(
      () => true,
      () => false,
    );
  async function room(
    path: string,
  ): Promise<{ blocks: number; bfree: number; bavail: number; bsize: number; files: number }> {
    const answer = await extended(await session(), 'statvfs@openssh.com', text(path));
    const body = expected('statvfs', answers.extended, answer);
    if (body === null) throw systemError('EIO', 'statvfs');
    body.u64();
    const [bsize, blocks, bfree, bavail] = [body.u64(), body.u64(), body.u64(), body.u64()];
    const [total, , files] = [body.u64(), body.u64(), body.u64()];
    // Some file systems count none.
    return { blocks, bfree, bavail, bsize, files: total === 0 ? Number.POSITIVE_INFINITY : files };
  }

  /** SFTP has no words for most of what goes wrong: whoever is told of a failure looks what it was. */
  async function explained(error: unknown, path: string): Promise<Error> {
    if (!(error instanceof Unexplained)) return error instanceof Error ? error : new Error(String(error));
    for (let at = path; ; at = dirname(at)) {
      const found = await room(at).catch(() => undefined);
      if (found === undefined && at !== dirname(at)) continue;
      const isFull = found !== undefined && (found.bavail * found.bsize < least || found.files < 1);
      return systemError(isFull ? 'ENOSPC' : 'EIO', error.message);
    }
  }
  /** `taken`: what it is called when there is something already, where there is to be something new. */
  async function making<T>(path: string, taken: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Unexplained && (await isThere(path))) throw systemError(taken, error.message);
      throw await explained(error, path);
    }
  }

  async function makeDirectory(path: string, mode: number): Promise<void> {
    await making(path, 'EEXIST', async () => done(await session(), 'mkdir', text(path), attributes({ mode })));
  }
  async function mkdir(
    path: string,
    { recursive = false, mode }: { recursive?: boolean; mode: number },
  ): Promise<void> {
    try {
      await makeDirectory(path, mode);
    } catch (error) {
      const code = codeOf(error);
      if (recursive && code === 'EEXIST') return;
      if (!recursive || code !== 'ENOENT' || path === dirname(path)) throw error;
      await mkdir(dirname(path), { recursive, mode });
      await mkdir(path, { recursive, mode });
    }
  }

  async function open(path: string, flags: OpenFlags, mode = 0o600): Promise<OpenFile> {
    const sftp = await session();
    const handle = await making(path, flags.endsWith('x') ? 'EEXIST' : 'EIO', async () =>
      expected('open', answers.handle, await sftp.ask('open', text(path), u32(bitsOf[flags]), attributes({ mode }))),
    );
    if (handle === null) throw systemError('EIO', 'open');
    return sftpFile(sftp, handle.bytes(), (error) => explained(error, path));
  }

  async function entries(path: string): Promise<{ name: string; about: Attributes }[]> {
    const sftp = await session();
    const handle = expected('opendir', answers.handle, await sftp.ask('opendir', text(path)))?.bytes();
    if (handle === undefined) throw systemError('EIO', 'opendir');
    const found: { name: string; about: Attributes }[] = [];
    try {
      for (;;) {
        const body = expected('readdir', answers.name, await sftp.ask('readdir', text(handle)));
        if (body === null) return found;
        for (let left = body.u32(); left > 0; left--) {
          const name = body.text();
          body.bytes();
          const about = body.attributes();
          if (name !== '.' && name !== '..') found.push({ name, about });
        }
      }
    } finally {
      await done(sftp, 'close', text(handle));
    }
  }

  const unlink = async (path: string): Promise<void> => {
    try {
      await done(await session(), 'remove', text(path));
    } catch (error) {
      throw await explained(error, path);
    }
  };
  const rmdir = (path: string): Promise<void> =>
    making(path, 'ENOTEMPTY', async () => done(await session(), 'rmdir', text(path)));

  /** Whoever has been overtaken may still be making something in it: then it is not empty a moment later. */
  async function remove(path: string, tries = 5): Promise<void> {
    try {
      if (!isDirectory(await look(path))) return await unlink(path);
      for (const { name } of await entries(path)) await remove(join(path, name));
      await rmdir(path);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOTEMPTY' && tries > 0) await remove(path, tries - 1);
      else if (code !== 'ENOENT') throw error;
    }
  }

  return {
    open,
    async readFile(path) {
      const file = await open(path, 'r');
      try {
        const bytes = Buffer.alloc(longestText);
        // Those of /proc have no size.
        const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
        return bytes.toString('utf8', 0, bytesRead);
      } finally {
        await file.close();
      }
    },
    async writeFile(path, words, { mode, flag }) {
      const file = await open(path, flag, mode);
      try {
        const bytes = Buffer.from(words);
        await file.write(bytes, 0, bytes.length, null);
      } finally {
        await file.close();
      }
    },
    mkdir,
    readdir: async (path) => (await entries(path)).map(({ name }) => name),
    async stat(path) {
      const { size, mtime } = await look(path, 'stat');
      return { size, mtimeMs: mtime * 1_000 };
    },
    link: (path, other) =>
      making(other, 'EEXIST', async () =>
        succeeded('link', await extended(await session(), 'hardlink@openssh.com', text(path), text(other))),
      ),
    // OpenSSH has the two the other way round than the protocol.
    symlink: (target, path) =>
      making(path, 'EEXIST', async () => done(await session(), 'symlink', text(target), text(path))),
    rename: (from, to) =>
      making(to, 'ENOTEMPTY', async () =>
        succeeded('rename', await extended(await session(), 'posix-rename@openssh.com', text(from), text(to))),
      ),
    unlink,
    rmdir,
    remove: (path) => remove(path),
    async realpath(path) {
      const body = expected('realpath', answers.name, await (await session()).ask('realpath', text(path)));
      if (body === null || body.u32() < 1) throw systemError('EIO', 'realpath');
      return body.text();
    },
    async statfs(path) {
      const { files: _files, ...found } = await room(path);
      return found;
    },
  };
}
