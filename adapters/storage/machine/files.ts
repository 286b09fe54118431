import { randomUUID } from 'node:crypto';
import { here } from './here.js';
import type { Files, Machine, OpenFile, OpenFlags } from './machine.js';

// Files by their paths, on whichever machine they are. As a path of autofs leads to another machine, so does one below what `mount` says; all else is here.

type Placed = { machine: Machine; path: string };
/** Where something is, by the way to it from where it is mounted. */
type Lookup = (way: string) => Promise<Placed>;

const mounts = new Map<string, Lookup>();
const mounted = /^(\/@machine-[0-9a-f-]{36})(?:\/(.*))?$/s;

/** A directory that there is not, below which is what another machine has. */
export function mount(lookup: Lookup): string {
  const base = `/@machine-${randomUUID()}`;
  mounts.set(base, lookup);
  return base;
}

/** The machine that has it, and what it is called there. */
export async function placeOf(path: string): Promise<Placed> {
  const [, base = '', way = ''] = mounted.exec(path) ?? [];
  const lookup = mounts.get(base);
  return lookup ? lookup(way) : { machine: here, path };
}

/** Of two paths that one machine has to know. */
async function together(
  one: string,
  other: string,
): Promise<{ machine: Machine; one: string; other: string } | undefined> {
  const [first, second] = await Promise.all([placeOf(one), placeOf(other)]);
  if (first.machine.key !== second.machine.key) return undefined;
  return { machine: second.machine, one: first.path, other: second.path };
}

const apart = (): Error => Object.assign(new Error('they lie on two machines'), { code: 'EXDEV' });

export const isTogether = async (one: string, other: string): Promise<boolean> =>
  (await together(one, other)) !== undefined;

/** A word of a command: as it is, a path too; `as`: one that is more than the path in it, made of what that is called where it is. */
export type Word = string | { path: string; as: (path: string) => string };

/** What a program is given, as the machine that has what it names calls it. */
export async function placed(words: readonly Word[]): Promise<{ machine: Machine; words: string[] }> {
  const places = await Promise.all(
    words.map(async (word) => {
      const { path: asked, as } = typeof word === 'string' ? { path: word, as: (path: string) => path } : word;
      const { machine, path } = await placeOf(asked);
      return { machine, isMounted: path !== asked, word: as(path) };
    }),
  );
  const machine = places.find((place) => place.machine !== here)?.machine ?? here;
  if (places.some((place) => place.machine.key !== machine.key && place.isMounted)) throw apart();
  return { machine, words: places.map(({ word }) => word) };
}

async function on<T>(path: string, call: (files: Files, path: string) => Promise<T>): Promise<T> {
  const place = await placeOf(path);
  return call(place.machine.files, place.path);
}
async function onBoth<T>(
  one: string,
  other: string,
  call: (files: Files, one: string, other: string) => Promise<T>,
): Promise<T> {
  const both = await together(one, other);
  if (both === undefined) throw apart();
  return call(both.machine.files, both.one, both.other);
}

export const open = (path: string, flags: OpenFlags, mode?: number): Promise<OpenFile> =>
  on(path, (files, at) => files.open(at, flags, mode));
export const readFile = (path: string, _encoding: 'utf8'): Promise<string> =>
  on(path, (files, at) => files.readFile(at));
export const writeFile = (path: string, text: string, how: { mode: number; flag: 'wx' | 'a' }): Promise<void> =>
  on(path, (files, at) => files.writeFile(at, text, how));
export const mkdir = (path: string, how: { recursive?: boolean; mode: number }): Promise<void> =>
  on(path, (files, at) => files.mkdir(at, how));
export const readdir = (path: string): Promise<string[]> => on(path, (files, at) => files.readdir(at));
export const stat: Files['stat'] = (path) => on(path, (files, at) => files.stat(at));
export const link: Files['link'] = (path, other) => onBoth(path, other, (files, one, two) => files.link(one, two));
export const rename: Files['rename'] = (from, to) => onBoth(from, to, (files, one, two) => files.rename(one, two));
/** The target is as it is read from where the link is. */
export const symlink: Files['symlink'] = (target, path) => on(path, (files, at) => files.symlink(target, at));
export const unlink: Files['unlink'] = (path) => on(path, (files, at) => files.unlink(at));
export const rmdir: Files['rmdir'] = (path) => on(path, (files, at) => files.rmdir(at));
export const rm = (path: string, _how: { recursive?: true; force: true }): Promise<void> =>
  on(path, (files, at) => files.remove(at));
/** As the machine calls it that has it. */
export const realpath: Files['realpath'] = (path) => on(path, (files, at) => files.realpath(at));
export const statfs: Files['statfs'] = (path) => on(path, (files, at) => files.statfs(at));
export const allocated: Files['allocated'] = (path) => on(path, (files, at) => files.allocated(at));
export const copyWithin: Files['copyWithin'] = async (from, to, onProgress, signal) => {
  const both = await together(from, to);
  return both === undefined ? false : both.machine.files.copyWithin(both.one, both.other, onProgress, signal);
};
export const bootOf = async (path: string): Promise<string | null> => (await placeOf(path)).machine.boot();
