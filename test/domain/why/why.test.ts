import { describe, expect, it } from 'vitest';
import { why } from '../../../domain/why/why.js';
import { Why } from '../../../schemas/operations/why.js';
import { hosts } from './hosts.js';
import { scalings } from './scalings.js';
import { serviceOperations } from './service-operations.js';
import { serviceOutcomes } from './service-outcomes.js';
import { servicesAtRest } from './services-at-rest.js';
import { vms } from './vms.js';

/** Every situation that somebody asks about: what is, and what is said of it. */
const cases = [...serviceOperations, ...serviceOutcomes, ...servicesAtRest, ...scalings, ...vms, ...hosts];
const answers = cases.map(([situation, facts]) => ({ situation, facts, answer: why(facts) }));

describe('why', () => {
  // To be read by people: whoever changes a word reads all of them again.
  it('says the same as ever in every situation', async () => {
    const text = answers.map(({ situation, answer }) => `## ${situation}\n\n${answer.text}\n`).join('\n');
    await expect(`# What why answers\n\n${text}`).toMatchFileSnapshot('why-answers.md');
  });

  it.each(answers)('keeps its shape and its sentences whole: $situation', ({ answer }) => {
    expect(Why.parse(answer)).toEqual(answer);
    expect(answer.text).toMatch(/^[A-Z].*[.!?]$/);
    expect(answer.text).not.toMatch(/undefined|null|NaN|Invalid|\.\.|\s\s|\( | \)/);
  });

  it.each(answers)('names what it is about: $situation', ({ answer: { text, resource } }) => {
    const names = { service: 'service', vm: 'VM', host: 'host', zone: 'zone' };
    const noun = Object.entries(names).find(([type]) => type === resource.type)?.[1];
    expect(text.toLowerCase()).toContain(`${noun} ${resource.id}`.toLowerCase());
  });

  it.each(answers)('tells each failure in its own words: $situation', ({ answer: { text, failures } }) => {
    for (const { detail } of failures.slice(0, 3)) expect(text).toContain(detail);
  });

  it.each(answers.filter(({ answer }) => answer.failures.length > 0))(
    'says what can be done where something failed: $situation',
    ({ answer: { text, actions, operation_state } }) => {
      if (actions.length > 0) expect(text).toMatch(/You can /);
      else if (operation_state === 'failed') expect(text).toMatch(/only look/);
    },
  );
});
