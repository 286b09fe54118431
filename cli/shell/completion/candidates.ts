import type { Argument, Command, Option } from 'commander';
import { meaningOf } from '../abbreviation.js';

/** Something that may stand at the place of the cursor. */
export type Candidate = { value: string; description: string };

/** What may stand there: words that are known, objects of a kind, a context, or the name of a file. */
export type Place = { words: readonly Candidate[] } | { objectsOf: string } | { contexts: true } | { files: true };

export const shells = ['bash', 'zsh', 'fish'] as const;

/**
 * What may come next on a command line: `before` are its words after `arcus`, `current` is the beginning of the one that
 * is being typed.
 */
export function placeOf(program: Command, before: readonly string[], current: string): Place {
  const { command, operands, pending } = walked(program, before);
  const known = [...command.options, ...(command === program ? [] : program.options)];
  if (pending) return valuesOf(program, pending);
  const [, flag] = /^(--[\w-]+)=/.exec(current) ?? [];
  const given = known.find(({ long }) => long === flag);
  if (flag !== undefined && given) {
    const place = valuesOf(program, given);
    return 'words' in place
      ? { words: place.words.map(({ value, description }) => ({ value: `${flag}=${value}`, description })) }
      : place;
  }
  if (current.startsWith('-')) return { words: optionWords([...known, ...helpOptions]) };
  if (command.commands.length > 0) return { words: commandWords(command) };
  return argumentPlace(program, command.registeredArguments, operands);
}

const helpOptions = [{ long: '--help', description: 'tell how it is used', hidden: false }];

/** Goes along the words as the parser will: where they lead, and the option whose value comes next. */
function walked(
  program: Command,
  words: readonly string[],
): { command: Command; operands: string[]; pending?: Option } {
  let command = program;
  const operands: string[] = [];
  let pending: Option | undefined;
  for (const word of words) {
    if (pending) {
      pending = undefined;
    } else if (word.startsWith('-')) {
      const options = [...command.options, ...program.options];
      const option = options.find(({ short, long }) => word === short || word === long);
      if (option?.required) pending = option;
    } else if (command.commands.length > 0) {
      const names = command.commands.map((child) => child.name());
      const meaning = meaningOf(word, names);
      const meant = (child: Command): boolean =>
        ('name' in meaning && child.name() === meaning.name) || child.aliases().includes(word);
      command = command.commands.find(meant) ?? command;
    } else operands.push(word);
  }
  return { command, operands, ...(pending ? { pending } : {}) };
}

function valuesOf(program: Command, option: Option): Place {
  if (option.argChoices) return { words: option.argChoices.map((value) => ({ value, description: '' })) };
  const [, name = ''] = /<([^<>]+)>/.exec(option.flags) ?? [];
  if (option.long === '--context') return { contexts: true };
  if (name === 'file' || name === 'directory') return { files: true };
  if (isNoun(program, name)) return { objectsOf: name };
  return { words: listedIn(option) };
}

/** Options say what they take in their descriptions: `only those in this state: A, B`, `state=S, with S one of A, B; or …`. */
function listedIn({ long, description }: Option): Candidate[] {
  const [, list = ''] = /(?:: |one of )([A-Za-z_]+(?:, [A-Za-z_]+)+)/.exec(description) ?? [];
  const values = list.split(', ').filter((value) => value !== '');
  const written = long === '--for' ? [...values.map((state) => `state=${state}`), 'deleted'] : values;
  return written.map((value) => ({ value, description: '' }));
}

const optionWords = (options: readonly Pick<Option, 'long' | 'description' | 'hidden'>[]): Candidate[] =>
  options.flatMap(({ long, description, hidden }) => (long && !hidden ? [{ value: long, description }] : []));

const commandWords = (command: Command): Candidate[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((child) => ({ value: child.name(), description: child.description() }));

/** Arguments and options are called by the kind of object that they name: `<host>`. */
const isNoun = (program: Command, name: string): boolean =>
  program.commands.some((noun) => noun.name() === name && noun.commands.some((verb) => verb.name() === 'list'));

function argumentPlace(program: Command, expected: readonly Argument[], operands: readonly string[]): Place {
  const last = expected.at(-1);
  const argument = expected[operands.length] ?? (last?.variadic ? last : undefined);
  const name = argument?.name() ?? '';
  // `<user|group> <whose>`: one of these words, and then an object of that kind.
  if (name.includes('|')) return { words: name.split('|').map((value) => ({ value, description: '' })) };
  const noun = name === 'whose' ? (operands.at(-1) ?? '') : name;
  if (noun === 'context') return { contexts: true };
  return isNoun(program, noun) ? { objectsOf: noun } : { words: [] };
}
