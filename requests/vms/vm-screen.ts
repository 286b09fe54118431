import type { Duplex } from 'node:stream';
import type { Screen } from '../../adapters/hypervisor/screen.js';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { placeOf } from '../../domain/vms/stays.js';
import { vmStateName } from '../../domain/vms/vm-states.js';
import { limits } from '../../schemas/common/limits.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { VmScreenResource } from '../../schemas/vms/vm-screen.js';
import { authorised } from '../authorise.js';
import type { OperationsContext, RequestsContext } from '../context.js';
import { newToken, tokenHash } from '../identity/token-text.js';

/** Milliseconds that a token is good for, and that a host has to answer. */
const lifetime = 60_000;
const patience = 15_000;

/**
 * What opens the screen of a VM, once. Needs MANAGE: whoever sees it may press keys on it, too. What is answered is a secret, and is told nobody
 * else: of the token its hash is kept, and of the password nothing.
 */
export async function askForScreen(context: OperationsContext, caller: Caller, id: number): Promise<VmScreenResource> {
  const { store } = context;
  const vm = authorised(caller, 'vm', await store.vms.find(id), 'manage', id);
  const { password } = await inTime(id, (signal) => screenOf(context, vm, signal));
  const { text, hash } = newToken();
  const expires_at = new Date(Date.now() + lifetime);
  await store.screenTokens.insert({ _id: hash, vm: id, uid: caller.id, expires_at });
  return {
    ...{ vm: id, path: `/api/v1/vms/${id}/vnc?token=${text}` },
    ...{ password, expires_at: expires_at.toISOString() },
  };
}

/** The bytes of a screen, for who shows the token that was given for it, and as whom it was given to. */
export async function openScreen(context: RequestsContext, id: number, token: string): Promise<Duplex> {
  const { store, directory, openScreens } = context;
  const found = await store.screenTokens.take(tokenHash(token), new Date());
  if (found?.vm !== id)
    throw new Problem(
      'not_authenticated',
      'The token is not valid: it is wrong, was used, has expired, or is of another VM.',
    );
  const seen = await directory.look(async (transaction) => {
    const user = await directory.users.find(found.uid, transaction);
    return user?.enabled ? { user } : null;
  });
  if (!seen) throw new Problem('not_authenticated', 'Who has asked for this screen may not sign in any more.');
  const vm = authorised(seen.caller, 'vm', await store.vms.find(id), 'manage', id);
  const has = openScreens.get(found.uid) ?? 0;
  if (has >= limits.screens.most)
    throw new Problem(
      'wrong_state',
      `You have ${has} screens open, and may have ${limits.screens.most}: close one first.`,
    );
  openScreens.set(found.uid, has + 1);
  const closed = (): void => {
    const left = (openScreens.get(found.uid) ?? 1) - 1;
    if (left > 0) openScreens.set(found.uid, left);
    else openScreens.delete(found.uid);
  };
  try {
    const bytes = await inTime(id, async (signal) => (await screenOf(context, vm, signal)).open(signal));
    return bytes.once('close', closed);
  } catch (error) {
    closed();
    throw error;
  }
}

/** Throws `wrong_state` where there is none now. Whether it runs is asked of its host: that a VM says so may be old. */
async function screenOf({ store, screens }: OperationsContext, vm: Vm, signal: AbortSignal): Promise<Screen> {
  const { _id: id, state } = vm;
  const stay = placeOf(vm);
  if (state !== 'ACTIVE' || !stay)
    throw new Problem('wrong_state', `VM ${id} is ${vmStateName(vm)}: its screen is there while it runs.`);
  const host = await store.hosts.find(stay.hid);
  if (!host) throw new Problem('not_found', `Host ${stay.hid} does not exist any more.`);
  if (!screens) throw new Problem('not_implemented', 'This server reaches no screens.');
  return screens.of({ id, host }, signal);
}

async function inTime<T>(id: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const why = new Problem('backend_unavailable', `The host of VM ${id} does not answer.`);
  const timer = setTimeout(() => late.abort(why), patience);
  try {
    return await work(late.signal);
  } finally {
    clearTimeout(timer);
  }
}
