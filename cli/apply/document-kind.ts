import type { z } from 'zod';

export type Attributes = Record<string, unknown>;

/** A kind of object that `apply` can make, as it is called in a document. */
export type DocumentKind = {
  noun: string;
  path: string;
  /** The command that shows one, where that is not `show` of its noun. */
  shown?: string;
  /** The list that has the name, where that is of another kind: quotas are there as long as their user or group. */
  among?: string;
  /** What is sent to make one: what a document holds beside its kind. */
  wish: z.ZodType;
  /** A document in the words of the server, where people may write something else. */
  read?: (document: Attributes) => Attributes;
  /** What the server answers. */
  answer: z.ZodType<{ id: number; name: string }>;
  /** An object that is there, in the words of a document. */
  asDocument: (object: unknown) => Attributes;
  /** A document says all there is to say of the object (PUT), or only what it names (PATCH). */
  update: 'PUT' | 'PATCH';
  /** Members whose own are named in any letter case, which the server keeps in upper case. */
  anyCase?: readonly string[];
  /** Members that say what it is made with: what is there stays as it is. */
  once?: readonly string[];
  /** What the server adds to, instead of putting it in the place of what is there. */
  merges?: readonly string[];
  /** What is said of one that is asked for, where that takes a while. Default: it is created. */
  made?: string;
  /** Names of other objects that a document may have where the server wants ids: role by role, say. */
  references?: (document: Attributes) => { pointer: string; kind: string; value: unknown; put: (id: number) => void }[];
};

export const isObject = (value: unknown): value is Attributes =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
