import { expect, it } from 'vitest';
import { objectName, personName } from '../../../domain/identity/given-names.js';
import { looksOf } from '../../../domain/identity/looks.js';

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
    'ONEADMIN',
    'OneAdmin',
    'ｏｎｅａｄｍｉｎ',
    'ＳＥＲＶＥＲadmin',
    '@100',
    '＠100',
    '#5',
    '-1',
    '-rf',
    '６５',
    '0neadmin',
    'ONEADM1N',
    'onеadmin'.replace('е', '\u0435'),
    'oneadrnin',
    'oոeadmin',
    'oneadmı\u0307n',
    'oneadmın',
    '\u2011rf',
  ];
  for (const name of refused) expect(() => personName(name), JSON.stringify(name)).toThrow('must not');
  for (const name of [
    'oneadmin',
    'serveradmin',
    'web-team',
    'a@b',
    'c#',
    'Oneadmins',
    '2nd-line',
    'Żółć',
    'Анна',
    'Ελένη',
    '田中',
    'josé3',
  ])
    expect(personName(name)).toBe(name);
  expect(personName('jose\u0301')).toBe('jos\u00e9');
});

it('a name of anything else shows all its characters, and is composed', () => {
  for (const unseen of [
    '\u200b',
    '\u202e',
    '\u00ad',
    '\ufe0f',
    '\u3164',
    '\u009b',
    '\u0007',
    '\u2028',
    '\ud800',
    '\u{e0041}',
  ])
    expect(() => objectName(`a${unseen}b`), JSON.stringify(unseen)).toThrow('cannot be seen');
  for (const name of ['v65', '#5a', 'two words', 'оneadmin', '2cpu-small', 'Łódź', '🚀'])
    expect(objectName(name)).toBe(name);
  expect(objectName('cafe\u0301')).toBe('caf\u00e9');
  // One of the few that grow when they are composed.
  expect(() => objectName('\u0958'.repeat(128))).toThrow('at most 128 characters');
});

it('names that look alike have a look in common, and others have none', () => {
  const alike = (one: string, other: string) => looksOf(one).some((look) => looksOf(other).includes(look));
  for (const [one, other] of [
    ...[
      ['alice', 'alıce'],
      ['alice', 'a1ice'],
      ['alice', 'aIice'],
      ['alice', 'Alice'],
      ['ALICE', 'AL1CE'],
    ],
    ...[
      ['web-team', 'web\u2011team'],
      ['web-team', 'web\u2212team'],
      ['bob', 'b0b'],
      ['bob', 'B0B'],
      ['modern', 'modem'],
    ],
    ...[
      ['ope', 'оре'],
      ['office', 'o\ufb03ce'],
      ['josé', 'jose\u0301'],
      ['bob', 'ｂｏｂ'],
      ['nono', 'ոоոо'],
    ],
  ] as const)
    expect(alike(one, other), `${one} ${other}`).toBe(true);
  for (const [one, other] of [
    ...[
      ['alice', 'allce'],
      ['mail', 'mall'],
      ['jose', 'josé'],
      ['bob', 'bobby'],
      ['web-team', 'web_team'],
    ],
    ...[
      ['はな', 'ハナ'],
      ['Łódź', 'Lodz'],
      ['web1', 'web2'],
      ['ops', 'oops'],
    ],
  ] as const)
    expect(alike(one, other), `${one} ${other}`).toBe(false);
});

it('how a name looks takes no longer than it is long', () => {
  // The character whose skeleton is longest.
  for (const one of ['\ufdfa', 'm', 'İ', '\u0345'])
    for (const look of looksOf(one.repeat(128))) expect(look.length).toBeLessThanOrEqual(128 * 40);
});

it('no name of anything reads as an id', () => {
  for (const name of ['97', '0', '0065', '٣٤', '６５', '#97', '#٣', '＃97', '²'])
    for (const given of [objectName, personName])
      expect(() => given(name), `${given.name} ${JSON.stringify(name)}`).toThrow(
        /must not (be digits alone|begin with)/,
      );
  expect(objectName('97', '97')).toBe('97');
});

it('a name from before there was a rule is kept as long as nobody changes it', () => {
  expect(objectName('a\u200bb', 'a\u200bb')).toBe('a\u200bb');
  for (const name of ['65', '@100', 'ONEADMIN']) expect(personName(name, name)).toBe(name);
  expect(objectName('cafe\u0301', 'cafe\u0301')).toBe('cafe\u0301');
  expect(() => objectName('a\u200bc', 'a\u200bb')).toThrow('cannot be seen');
});
