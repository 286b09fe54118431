import { expect, it } from 'vitest';
import { personName } from '../../domain/person-names.js';

it('a name of a user or a group is one that nobody takes for another', () => {
  const refused = [
    'oneadmin\u200b',
    '\u202enimdaeno',
    'one\u00adadmin',
    'oneadmin\ufe0f',
    '\u3164',
    'a\u2066b',
    'a\u009bb',
    '0',
    '65',
    '٣٤',
    'оneadmin',
    'οneadmin',
  ];
  for (const name of refused) expect(() => personName(name), JSON.stringify(name)).toThrow('must not');
  for (const name of ['oneadmin', 'web-team', '2nd-line', 'Żółć', 'Анна', 'Ελένη', '田中', 'josé3'])
    expect(personName(name)).toBe(name);
  expect(personName('jose\u0301')).toBe('jos\u00e9');
});
