import { isShown } from './compare.js';
import { type Command, stepsOf, withShown } from './page.js';
import type { Shell } from './shell.js';

/** Where somebody follows a page: a shell, and how to open another terminal for what stays. */
export type Place = {
  shell: Shell;
  another: () => Promise<Shell>;
  /** What is of this machine, in the words of the page: directories. */
  inWords: (line: string) => string;
};

/** Milliseconds for which a person looks again. */
const patience = 300_000;

/** A command that did not show what its page says. */
type Fault = { step: Command; shown: string[] };

/**
 * Does everything that a page says, in order. Throws at the first command that does not show what the page says, or fails
 * without the page saying so. With `anew`, it goes on, and `anew` is called with the page as it should be so far.
 */
export async function followPage(
  name: string,
  page: string,
  { shell, another, inWords }: Place,
  { anew }: { anew?: (page: string) => void } = {},
): Promise<void> {
  const faults: Fault[] = [];
  for (const step of stepsOf(page)) {
    if ('file' in step) {
      await shell.run(`cat > ${step.file} <<'END OF FILE'\n${step.text}END OF FILE`);
      continue;
    }
    if (step.stays) {
      await (await another()).start(step.command, (lines) => isShown(step.shown, lines.map(inWords)));
      continue;
    }
    const { seen, code } = await given(step, shell, inWords);
    const wrong = (what: string): Error => new Error(`${name}:${step.line}: $ ${step.command}\n${what}`);
    if (!isShown(wished(step), seen)) {
      if (!anew) throw wrong(difference(wished(step), seen));
      faults.push({ step, shown: withCtrlC(step, seen) });
      anew(withShown(page, faults));
    }
    // Programs of Arcus say what went wrong behind their names.
    const mayFail = (anew ? seen : step.shown).some((text) => /^arcus(-sim)?: /.test(text));
    if (code !== 0 && !mayFail) throw wrong(`ends with ${code}, and the page does not say why`);
  }
}

/** Gives a command as the page says: with Ctrl-C where it has one, and again until it shows what the page says. */
async function given(
  step: Command,
  shell: Shell,
  inWords: Place['inWords'],
): Promise<{ seen: string[]; code: number }> {
  const at = step.shown.indexOf(ctrlC);
  const until = Date.now() + (step.again ? patience : 0);
  for (;;) {
    const { lines, code } = await shell.run(
      step.command,
      step.typed,
      (lines) => at >= 0 && isShown([...step.shown.slice(0, at), '…'], lines.map(inWords)),
    );
    const seen = lines.map(inWords);
    if (isShown(wished(step), seen) || Date.now() >= until) return { seen, code };
  }
}

const ctrlC = '^C';
const wished = ({ shown }: Command): string[] => shown.filter((line) => line !== ctrlC);
const withCtrlC = ({ shown }: Command, seen: readonly string[]): string[] => {
  const at = shown.indexOf(ctrlC);
  return at < 0 ? [...seen] : seen.toSpliced(at, 0, ctrlC);
};

const difference = (shown: readonly string[], seen: readonly string[]): string =>
  ['does not show what the page says:', ...shown, 'but', ...seen].join('\n');
