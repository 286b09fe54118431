import { globOf } from '../../domain/glob.js';
import type { Condition, ListField, ListFields, ListValue } from '../../schemas/common/list.js';

/** Conditions on a list as filters on its documents. Values stand behind operators, where they are values and nothing else. */
export const filterOf = (conditions: readonly Condition[], list: ListFields): Record<string, unknown>[] =>
  conditions.flatMap((condition) => {
    const field = list[condition.field];
    return field ? [{ [field.path]: comparisonOf(condition, field) }] : [];
  });

const operators = { '<': '$lt', '<=': '$lte', '>': '$gt', '>=': '$gte' } as const;

/** A text as it is written, and as names are kept. */
const writtenOf = (values: Condition['values']): ListValue[] =>
  values.flatMap((value): ListValue[] => (typeof value === 'string' ? [value, value.normalize('NFC')] : [value]));

function comparisonOf({ comparison, values: given }: Condition, { kind }: ListField): Record<string, unknown> {
  const values = kind === 'text' ? writtenOf(given) : given;
  switch (comparison) {
    case '=':
      return { $in: [...values] };
    case '!=':
      return { $nin: [...values] };
    case '~':
    case '!~': {
      // Of a field with few values, a glob has been read as those that it means.
      const meant = typeof kind === 'string' ? values.map((value) => globOf(String(value))) : [...values];
      return { [comparison === '~' ? '$in' : '$nin']: meant };
    }
    default:
      return { [operators[comparison]]: values[0] };
  }
}
