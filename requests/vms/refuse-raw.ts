import { isDeepStrictEqual } from 'node:util';
import type { Caller } from '../../domain/identity/caller.js';
import { isAdministrator } from '../../domain/identity/permissions.js';
import { Problem } from '../../domain/problems.js';

type Attributes = Readonly<Record<string, unknown>>;

/**
 * RAW says whatever it likes to the hypervisor, which reads any file of its host: administrators alone write it. Others may use what those have written, and take it
 * away. `before`: what is there.
 */
export function refuseRaw(caller: Caller, { RAW }: Attributes, under: string, before: Attributes = {}): void {
  if (RAW === undefined || isAdministrator(caller) || isDeepStrictEqual(RAW, before.RAW)) return;
  const detail = 'is for administrators: it says whatever it likes to the hypervisor';
  throw new Problem('not_authorized', `RAW ${detail}.`, { findings: [{ pointer: `${under}/RAW`, detail }] });
}
