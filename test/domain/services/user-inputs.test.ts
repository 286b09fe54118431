import { describe, expect, it } from 'vitest';
import { inputValues } from '../../../domain/services/user-inputs.js';

describe('what a template asks for', () => {
  it.each<[input: unknown, value: unknown, detail: string | null]>([
    ['M|text|Name', undefined, 'is required: Name'],
    ['M|text|Name', '', 'is required: Name'],
    ['M|text', null, 'is required'],
    ['O|text|Name', undefined, null],
    ['M|text|Name| |root', undefined, null],
    ['no input at all', undefined, null],
    [{ M: 1 }, undefined, null],
    ['M|number|n', '12', null],
    ['M|number|n', 12, null],
    ['M|number|n', '1.5', 'must be a whole number'],
    ['M|number-float|n', '1.5', null],
    ['M|number-float|n', 'x', 'must be a number'],
    ['M|boolean|b', 'YES', null],
    ['M|boolean|b', false, null],
    ['M|boolean|b', 'maybe', 'must be YES or NO'],
    ['M|range|r|1..10|5', '10', null],
    ['M|range|r|1..10|5', '11', 'must be a whole number of 1..10'],
    ['M|range|r|1..10|5', '2.5', 'must be a whole number of 1..10'],
    ['M|range-float|r|0..1', '0.5', null],
    ['M|list|l|a, b', 'b', null],
    ['M|list|l|a, b', 'c', 'must be one of a, b'],
    ['M|list-multiple|l|a,b,c', 'a,c', null],
    ['M|list-multiple|l|a,b,c', 'a,d', 'must be some of a,b,c'],
    ['M|password|p', 'anything', null],
    ['M|constructor|c', 'anything', null],
  ])('%j is given %j: %s', (input, value, detail) => {
    const { findings } = inputValues({ X: input }, value === undefined ? {} : { X: value }, {
      ...{ pointer: '/values', demanded: true },
    });
    expect(findings).toEqual(detail === null ? [] : [{ pointer: '/values/X', detail }]);
  });

  it('is as it is said by default, where nothing is given', () => {
    const inputs = { A: 'M|text|a| |x|y', B: 'O|number|b||5', C: 'M|text|c| |z' };
    expect(inputValues(inputs, { C: 'mine', D: 1 }, { pointer: '', demanded: true }).values).toEqual({
      A: 'x|y',
      B: '5',
      C: 'mine',
      D: 1,
    });
  });
});
