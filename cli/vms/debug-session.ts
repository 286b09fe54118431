import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../client/client.js';
import { json } from '../../client/message.js';
import type { DebugAnswer } from '../../schemas/operations/debug-step.js';
import { OperationDetail, type OperationResource } from '../../schemas/operations/operation-resource.js';
import { VmResource } from '../../schemas/vms/vm.js';
import type { DebuggingResource } from '../../schemas/vms/vm-debugging.js';
import { startOperation } from '../operations/start-operation.js';
import { Complaint } from '../shell/complaint.js';

/** Somebody at a terminal, and what he is told. `program`: the command that he has called, which offers what is to be done in the end. */
export type DebugTalk = {
  client: Client;
  say: (text: string) => void;
  err: (text: string) => void;
  ask: ((question: string) => Promise<string>) | null;
  program: 'arcus vm' | 'onevm';
};

/** Milliseconds between two looks at whether an action has come to its end. */
const pause = 200;

const menu = ['Choose action:', '(r) Run action', '(n) Skip to next action', '(a) Show all actions', '(q) Quit'];

/**
 * OpenNebula's debugging session, in its words: each action of what failed is run until it succeeds, or skipped. Every answer is an
 * operation of its own; whoever quits leaves the VM where the last answer has brought it.
 */
export async function debugSession(talk: DebugTalk, vm: number): Promise<void> {
  const { ask, say, program } = talk;
  if (ask === null)
    throw new Complaint('usage', 'A session asks what to do, and nobody is at a terminal to be asked.', {
      next: `See the actions with: arcus vm show ${vm}\nDo one with: arcus vm recover ${vm} --retry --run NUMBER, or leave it out with --skip NUMBER.`,
    });
  let at = await debuggingOf(talk.client, vm);
  say(['TM Debug Interactive Environment.', '', ...listed(at)].join('\n'));
  while (at.current !== null) {
    const { current, actions } = at;
    const { action = '' } = actions[current - 1] ?? {};
    say(['', `Current action (${current}):`, action, '', ...menu].join('\n'));
    const key = (await ask('> ')).trim();
    if (key === 'q') return;
    if (key === 'a') say(['', ...listed(at)].join('\n'));
    if (key !== 'r' && key !== 'n') continue;
    const said = await answer(talk, vm, { answer: key === 'r' ? 'run' : 'skip', session: at.session, number: current });
    if (said !== '') say(said);
    const now = await standingOf(talk.client, vm);
    if (now.debugging === null) return say(`\nVM ${vm} is ${now.state} now: no action is left to be done.`);
    at = now.debugging;
  }
  say(
    [
      '',
      'If all the TM actions have been successful and you want to',
      `recover the Virtual Machine to the ${at.leads_to} state execute this command:`,
      `$ ${program} recover ${vm} --success`,
    ].join('\n'),
  );
}

const listed = ({ actions }: DebuggingResource): string[] => [
  'TM Action list:',
  ...actions.map(({ number, action }) => `(${number}) ${action}`),
];

/** One answer, and what came of it, in words. One that came too late, or when another is at work, changes nothing: where it stands now is told next. */
async function answer(
  { client, err }: DebugTalk,
  vm: number,
  interactive: { answer: DebugAnswer; session: number; number: number },
): Promise<string> {
  let accepted: OperationResource;
  try {
    accepted = (await answerAction({ client, err }, vm, interactive)).value;
  } catch (error) {
    if (!(error instanceof Complaint) || error.exit !== 'conflict') throw error;
    return `\n${error.message}`;
  }
  const { state, error } = await endOf(client, accepted.id);
  if (state === 'succeeded') return interactive.answer === 'run' ? '\nSUCCESS' : '';
  return `\nLOG I  Command execution fail: ${error?.detail ?? state}\n\nFAILURE. Repeat command.`;
}

/** Asks for one action of what failed, or that it be left out. */
export const answerAction = (
  { client, err }: Pick<DebugTalk, 'client' | 'err'>,
  vm: number,
  interactive: { answer: DebugAnswer; session: number; number: number },
) =>
  startOperation({ client: () => client, err }, 'POST', `/vms/${vm}/recover`, json({ action: 'retry', interactive }));

async function endOf(client: Client, id: string): Promise<OperationDetail> {
  for (;;) {
    const { value } = await client.get(`/operations/${id}`, OperationDetail);
    if (value.ended_at !== null) return value;
    await sleep(pause);
  }
}

async function standingOf(client: Client, vm: number): Promise<{ state: string; debugging: DebuggingResource | null }> {
  const { value } = await client.get(`/vms/${vm}`, VmResource);
  return { state: value.state === 'ACTIVE' ? value.lcm_state : value.state, debugging: value.debugging };
}

/** What failed of a VM, action by action. */
export async function debuggingOf(client: Client, vm: number): Promise<DebuggingResource> {
  const { state, debugging } = await standingOf(client, vm);
  if (debugging !== null) return debugging;
  throw new Complaint(
    'conflict',
    `VM ${vm} is ${state}: actions are gone through of one that is in a *_FAILURE state.`,
    {
      next: `See what it does, and what you can do, with: arcus vm why ${vm}`,
    },
  );
}
