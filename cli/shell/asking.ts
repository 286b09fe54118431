import { readFileSync } from 'node:fs';
import type { Person } from '../identity/person.js';
import type { Context } from './command.js';
import { Complaint } from './complaint.js';

/** Who may be asked, what has been answered beforehand, and what is piped in. */
type Answers = { person: Person | null; yes: boolean; input: boolean; piped?: (() => string) | undefined };

/**
 * The questions of a command. Before what ends or removes something a person at a terminal is asked; --yes says so
 * beforehand; --no-input refuses. Without a terminal nobody is there to be asked, and what the command says is done: it
 * names one object, by its id or its whole name. Secrets are then the lines of standard input.
 */
export const asking = ({
  person,
  yes,
  input,
  piped = () => readFileSync(0, 'utf8'),
}: Answers): Pick<Context, 'confirm' | 'ask' | 'secret' | 'newSecret'> => {
  let lines: string[] | null = null;
  const nextLine = (): string => {
    lines ??= piped().split('\n');
    return (lines.shift() ?? '').trim();
  };
  const secret = async (question: string): Promise<string> => {
    if (person === null) return nextLine();
    if (input) return (await person.askSecretly(`${question}: `)).trim();
    throw new Complaint('usage', 'A secret is needed, and --no-input forbids to ask for it.', {
      next: 'Give it on standard input.',
    });
  };
  return {
    confirm: async (question) => {
      if (yes || (input && person === null)) return;
      if (!input || person === null)
        throw new Complaint('usage', 'This takes something away, and --no-input forbids to ask whether it is meant.', {
          next: 'Add --yes if it is. Nothing has been changed.',
        });
      const answer = await person.ask(`${await question()} [y/N] `);
      if (!/^\s*y(es)?\s*$/i.test(answer))
        throw new Complaint('failure', 'Nothing has been changed: the answer was not yes.', {
          next: 'Answer y to do it, or add --yes to do it without being asked.',
        });
    },
    ask: person !== null && input ? person.ask : null,
    secret,
    newSecret: async (question) => {
      const first = await secret(question);
      if (person === null || (await secret('The same again')) === first) return first;
      throw new Complaint('usage', 'The two are not the same.', { next: 'Try again: nothing has been changed.' });
    },
  };
};
