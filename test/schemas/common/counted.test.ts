import { expect, it } from 'vitest';
import { capital } from '../../../schemas/common/capital.js';
import { calledOf, counted } from '../../../schemas/common/counted.js';
import { withArticle } from '../../../schemas/common/with-article.js';
import { kindNames, kinds } from '../../../schemas/kinds.js';

const address = { one: 'address', several: 'addresses' };

it('says what is counted as one or as several, as it is called', () => {
  expect([0, 1, 2].map((count) => counted(count, address))).toEqual(['0 addresses', '1 address', '2 addresses']);
  expect([0, 1, 2].map((count) => calledOf(count, kinds.vm))).toEqual(['VMs', 'VM', 'VMs']);
});

it('begins with a capital letter, whatever is there', () => {
  expect(['role db', 'VMs', ''].map(capital)).toEqual(['Role db', 'VMs', '']);
});

it('gives each kind its article', () => {
  const an = kindNames.filter((kind) => withArticle(kinds[kind].one).startsWith('an '));
  expect(an).toEqual(['image', 'app', 'operation']);
});
