/** A command of a page, with the lines that it is said to show. */
export type Command = {
  command: string;
  /** A line `^C` among them is where a person presses Ctrl-C. */
  shown: readonly string[];
  /** What a person types when asked, one line after the other. */
  typed: readonly string[];
  /** A person gives it again until it shows what the page says: what it looks at is on its way. */
  again: boolean;
  /** It goes on, in a terminal of its own: the page goes on in another. */
  stays: boolean;
  /** Where it stands, and where its lines begin: numbers of lines, from 1. */
  line: number;
  shownAt: number;
};
export type Step = { file: string; text: string; line: number } | Command;

const isFence = /^```(\w*)$/;

/**
 * What a page tells people to do, in order. A `console` block has commands, behind `$ `, each with what it shows; a command
 * goes on in lines behind `> `. Any other block is a file, and the paragraph before it ends with its name: “Write
 * `shop.yaml`:”. Before a block, `<!-- typed: … -->` says what is typed there, a comment a line, `<!-- look again -->`
 * that its commands are given until they show what the page says, and `<!-- stays -->` that its command does not end.
 */
export function stepsOf(page: string): Step[] {
  const lines = page.split('\n');
  const steps: Step[] = [];
  let before: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [, language] = isFence.exec(lines[at] ?? '') ?? [];
    if (language === undefined) {
      const line = lines[at] ?? '';
      if (line !== '') before = line.startsWith('<!-- ') ? [...before, line] : [line];
      continue;
    }
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`line ${at + 1}: the block does not end`);
    const block = lines.slice(at + 1, end);
    if (language === 'console') steps.push(...commandsIn(block, at + 2, before));
    else
      steps.push({ file: fileNamedIn(before, at + 1), text: block.map((line) => `${line}\n`).join(''), line: at + 1 });
    before = [];
    at = end;
  }
  return steps;
}

function fileNamedIn(before: readonly string[], line: number): string {
  const [, name] = /`([\w.-]+)`:$/.exec(before.at(0) ?? '') ?? [];
  if (name !== undefined) return name;
  throw new Error(`line ${line}: a block is a console, or a file that the paragraph before it ends with`);
}

function commandsIn(block: readonly string[], first: number, before: readonly string[]): Command[] {
  const typed = before.flatMap((line) => /^<!-- typed: (.*) -->$/.exec(line)?.[1] ?? []);
  const again = before.includes('<!-- look again -->');
  const stays = before.includes('<!-- stays -->');
  const starts = block.flatMap((line, at) => (line.startsWith('$ ') ? [at] : []));
  if (starts[0] !== 0) throw new Error(`line ${first}: a console begins with a command, behind “$ ”`);
  return starts.map((start, index) => {
    const lines = block.slice(start, starts[index + 1] ?? block.length);
    const rest = lines.slice(1).findIndex((line) => !line.startsWith('> '));
    const length = rest < 0 ? lines.length : rest + 1;
    return {
      command: lines
        .slice(0, length)
        .map((line) => line.slice(2))
        .join('\n'),
      shown: lines.slice(length),
      typed,
      again,
      stays,
      line: first + start,
      shownAt: first + start + length,
    };
  });
}

/** The same page with other lines shown by its commands. */
export function withShown(page: string, changes: readonly { step: Command; shown: readonly string[] }[]): string {
  const lines = page.split('\n');
  const fromTheEnd = changes.toSorted((one, other) => other.step.shownAt - one.step.shownAt);
  for (const { step, shown } of fromTheEnd) lines.splice(step.shownAt - 1, step.shown.length, ...shown);
  return lines.join('\n');
}
