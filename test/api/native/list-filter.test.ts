import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FilterFault, parseFilter } from '../../../api/native/list-filter.js';
import { globOf } from '../../../domain/glob.js';
import { operationFields } from '../../../schemas/operations/operation-resource.js';
import { serviceFields } from '../../../schemas/services/service.js';
import { vmFields } from '../../../schemas/vms/vm.js';

const day = (text: string) => new Date(text);

describe('a filter is read as conditions:', () => {
  it.each([
    ['state=RUNNING', [['state', '=', ['RUNNING']]]],
    [
      'state=RUNNING|WARNING,name~web*',
      [
        ['state', '=', ['RUNNING', 'WARNING']],
        ['name', '~', ['web*']],
      ],
    ],
    ['state~FAILED_*', [['state', '~', ['FAILED_UNDEPLOYING', 'FAILED_DEPLOYING', 'FAILED_SCALING']]]],
    [
      'id>=3,id<9',
      [
        ['id', '>=', [3]],
        ['id', '<', [9]],
      ],
    ],
    ['created_at>2026-01-31', [['created_at', '>', [day('2026-01-31T00:00:00Z')]]]],
    ['created_at<=2026-01-31T12:00:00+01:00', [['created_at', '<=', [day('2026-01-31T11:00:00Z')]]]],
    ['ended_at!=null', [['ended_at', '!=', [null]]]],
    ['name="a,b|\\"c\\""|d', [['name', '=', ['a,b|"c"', 'd']]]],
    [
      ' name = web 1 , id=2',
      [
        ['name', '=', ['web 1']],
        ['id', '=', [2]],
      ],
    ],
    ['name=', [['name', '=', ['']]]],
    ['name="null"', [['name', '=', ['null']]]],
    ['name=a=b', [['name', '=', ['a=b']]]],
    ['name={"$gt":""}', null],
    ['name=$where', [['name', '=', ['$where']]]],
  ] as const)('%s', (text, expected) => {
    if (expected === null) {
      expect(() => parseFilter(text, serviceFields)).toThrow(FilterFault);
      return;
    }
    const read = parseFilter(text, serviceFields);
    expect(read.map(({ field, comparison, values }) => [field, comparison, values])).toEqual(expected);
  });

  it('of VMs without a service, and of operations by the beginning of their ids', () => {
    expect(parseFilter('service_id=null', vmFields)[0]?.values).toEqual([null]);
    expect(parseFilter('id~01KAJ*', operationFields)[0]).toMatchObject({ comparison: '~', values: ['01KAJ*'] });
  });
});

describe('a filter is refused, and says why:', () => {
  it.each([
    ['', /cannot be read at character 1/],
    ['state', /cannot be read at character 1/],
    ['state=RUNNING,', /cannot be read at character 15/],
    ['state=RUNNING name=x,nothing', /not a|there is not|cannot be read/],
    ['name="open', /cannot be read at character 1/],
    ['nam=x', /"nam", which this list is not filtered by; did you mean "name"\?/],
    ['constructor=x', /not filtered by; it is by id, name/],
    ['__proto__=x', /not filtered by/],
    ['state=RUNING', /"RUNING", which there is not; did you mean "RUNNING"\?/],
    ['state~X*', /which there is not; there are PENDING/],
    ['state>RUNNING', /cannot compare state by >, only by = != ~ !~/],
    ['name<x', /cannot compare name by </],
    ['id~1*', /cannot compare id by ~/],
    ['id=1e3', /not a whole number/],
    ['id=null', /not a whole number/],
    ['id>1|2', /with one value/],
    ['created_at>yesterday', /not a time such as/],
    ['name~*a*b*c*', /3 stars/],
    [Array(12).fill('id=1').join(','), /10 conditions/],
    [`id=${Array(60).fill('1').join('|')}`, /50 values/],
  ])('%s', (text, says) => {
    expect(() => parseFilter(text, serviceFields)).toThrow(says);
  });

  it('or read: no text makes anything else happen', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        try {
          for (const { values } of parseFilter(text, serviceFields))
            for (const value of values)
              expect(value === null || value instanceof Date || typeof value !== 'object').toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(FilterFault);
        }
      }),
    );
  });
});

describe('a glob', () => {
  it('means the texts that it is the pattern of, and takes all other signs as they are', () => {
    const safe = fc.string().filter((text) => !/[*?]/.test(text));
    fc.assert(
      fc.property(safe, safe, safe, (one, two, three) => {
        expect(globOf(`${one}*${two}`).test(`${one}${three}${two}`)).toBe(true);
        expect(globOf(one).test(one)).toBe(true);
        expect(globOf(`${one}*`).test(`${one}${three}`)).toBe(true);
        expect(globOf(one).test(`${one}x`)).toBe(false);
      }),
    );
    expect(globOf('w?b').test('web')).toBe(true);
    expect(globOf('w?b').test('wb')).toBe(false);
    expect(globOf('a.c').test('abc')).toBe(false);
  });
});
