import type { Connection } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import { nextRoleState } from '../../domain/services/service-states.js';
import type { Operation, Person, Releasing } from '../../schemas/operations/operation.js';
import type { Answer } from '../../schemas/operations/question.js';
import type { LogEntry, Role, Service } from '../../schemas/services/service.js';
import { sessionOf, within, withTransaction } from '../mongo/transaction.js';
import type { EndingStores, Releases } from './releases.js';

/** Operations that wait, with no run open, for a person to say how they go on. */
export function createQuestions(
  connection: Connection,
  { operations, services, releases }: Omit<EndingStores, 'vms'> & { releases: Releases },
) {
  return {
    /**
     * running → waiting_for_you, asking about these roles of its service, and then without its holds.
     * Asked again by the same run it changes nothing. Returns false when the operation does not have the service to
     * itself any more.
     */
    async ask({ op, run, roles }: { op: string; run: string; roles: readonly string[] }): Promise<boolean> {
      const has = await withTransaction(connection, async (transaction) => {
        const operation = await operations.model
          .findOne({ _id: op, state: 'running', run_id: run })
          .session(sessionOf(transaction))
          .lean<Operation>()
          .exec();
        if (!operation) return true;
        const service = await services.letGo(operation.resource.id, op, transaction);
        if (!service) return false;
        const releasing: Releasing = { since: new Date(), given_up: null, left: null };
        const question = { text: questionOn(service, roles), roles: [...roles], asked_at: new Date() };
        await operations.model.updateOne(
          { _id: op },
          { $set: { state: 'waiting_for_you', waiting_for: 'your answer', question, answer: null, releasing } },
          within(transaction),
        );
        return true;
      });
      await releases.finish(op);
      return has;
    },

    /**
     * waiting_for_you → accepted with the answer, which the next run carries out; the roles asked about that are to be
     * tried or skipped are DEPLOYING again. Only for the question that was seen, and the first to answer it. Returns
     * null when it is not to be answered any more.
     */
    async answer(seen: Operation, answer: Answer, by: Person): Promise<Operation | null> {
      const { _id: op, question } = seen;
      if (question === null) return null;
      const at = new Date();
      return withTransaction(connection, async (transaction) => {
        const asking = await operations.model
          .findOne({
            _id: op,
            state: 'waiting_for_you',
            'question.asked_at': question.asked_at,
            cancel_requested: null,
          })
          .session(sessionOf(transaction))
          .lean<Operation>()
          .exec();
        if (!asking) return null;
        const revise = (role: Role): Role =>
          answer !== 'give_up' && question.roles.includes(role.name) ? goingAgain(role, op) : role;
        const log: LogEntry = {
          timestamp: at,
          severity: 'I',
          message: `${by.name} answered ${answer} (${question.roles.join(', ')})`,
        };
        if (!(await services.reviseRoles(asking.resource.id, op, revise, log, transaction))) return null;
        return operations.model
          .findOneAndUpdate(
            { _id: op },
            {
              $set: {
                state: 'accepted',
                waiting_for: null,
                question: null,
                answer: { answer, roles: question.roles, by, at },
              },
            },
            { ...within(transaction), returnDocument: 'after' },
          )
          .lean<Operation>()
          .exec();
      });
    },
  };
}

/** A step further: what a run before the answer may still do comes too late. */
function goingAgain(role: Role, op: string): Role {
  const state = nextRoleState(role.state, 'deploy');
  return state === undefined
    ? role
    : { ...role, state, mark: { op, step: (role.mark?.op === op ? role.mark.step : 0) + 1 } };
}

function questionOn({ roles }: Service, asked: readonly string[]): string {
  const failures = roles
    .filter(({ name }) => asked.includes(name))
    .map(({ name, reason }) => `Role ${name} has failed to deploy: ${reason ?? 'its VMs do not run'}.`);
  return `${brief(failures.join(' '), longest.operation)} Retry the failed VMs, skip them, or give up?`;
}
