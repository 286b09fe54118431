import { z } from 'zod';
import { type Leaf, leaf } from './command.js';
import { Complaint } from './complaint.js';
import { rawText } from './output.js';

const marks = { ok: 'ok', notice: '--', fault: '!!' } as const;

/** Asks no server: it looks at what this machine has. */
export const doctorCommand: Leaf = leaf({
  usage: 'doctor',
  summary: 'See what Arcus needs on this machine, what is missing and what to do',
  examples: ['arcus doctor', 'arcus doctor --home /srv/arcus'],
  options: [['--home <directory>', 'home of the Arcus (default: ARCUS_HOME, else ~/.arcus)']],
  schema: z.object({ home: z.string().optional() }),
  run: async (context, _args, { home }) => {
    // What it loads (Temporal's client, MongoDB's) the other commands need not wait for.
    const { diagnose } = await import('../../runtime/doctor/doctor.js');
    const findings = await diagnose(home === undefined ? [] : ['--home', home]);
    if (context.format !== 'table') context.out(rawText(context.format, findings));
    for (const { subject, level, found, advice } of context.format === 'table' ? findings : []) {
      context.out(
        `${marks[level]}  ${subject.padEnd(9)} ${found}${advice === null ? '' : `\n    ${' '.repeat(9)} → ${advice}`}`,
      );
    }
    const faults = findings.filter(({ level }) => level === 'fault').length;
    if (faults > 0)
      throw new Complaint(
        'failure',
        `${faults === 1 ? 'One thing keeps' : `${faults} things keep`} Arcus from working.`,
        { next: 'Do what is said behind the arrows, then look again with: arcus doctor' },
      );
  },
});
