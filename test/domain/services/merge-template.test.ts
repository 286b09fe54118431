import { describe, expect, it } from 'vitest';
import { mergedTemplate } from '../../../domain/services/merge-template.js';

const body = {
  name: 'a',
  custom_attrs_values: { A: 1, B: 2 },
  roles: [{ name: 'web', cardinality: 1, parents: ['db'] }, { name: 'db' }],
  networks_values: [{ priv: { id: '0' } }, { pub: { id: '1' } }],
};

describe('a merge template', () => {
  it('replaces members of the top level, in the way of old', () => {
    expect(mergedTemplate(body, { custom_attrs_values: { B: 3 }, roles: [] }, 'shallow')).toEqual({
      ...body,
      custom_attrs_values: { B: 3 },
      roles: [],
    });
  });

  it('goes over roles by name, networks by key and objects by member, in the later way', () => {
    const merge = {
      custom_attrs_values: { B: 3 },
      roles: [{ name: 'db', cardinality: 4 }, { name: 'new' }, { name: 'web', parents: [] }],
      networks_values: [{ pub: { template_id: '9' } }],
    };
    expect(mergedTemplate(body, merge, 'deep')).toEqual({
      name: 'a',
      custom_attrs_values: { A: 1, B: 3 },
      roles: [{ name: 'web', cardinality: 1, parents: [] }, { name: 'db', cardinality: 4 }, { name: 'new' }],
      networks_values: [{ priv: { id: '0' } }, { pub: { id: '1', template_id: '9' } }],
    });
  });

  it('with roles that are no list has its way: what is wrong with them is said later', () => {
    expect(mergedTemplate(body, { roles: 7 }, 'deep').roles).toBe(7);
  });
});
