import { describe, expect, it } from 'vitest';
import { routeTable } from '../../../api/native/route-table.js';
import { kinds, operatedKinds, rowOf } from '../../../schemas/kinds.js';
import { isOn, type OperationKind, operationKinds, operations } from '../../../schemas/operations.js';

/** The workflows that there are. It does not compile while a kind of operation has none of its name. */
type Workflow = keyof typeof import('../../../workflows/index.js');
const workflowOf = (kind: OperationKind): Workflow => kind;

describe.each(operatedKinds.map((kind) => [kinds[kind].one, kind] as const))('operations on a %s', (_one, kind) => {
  const its = operationKinds.filter((one) => isOn(kind, one));

  it('are there, and each has its workflow', () => {
    expect(its.map(workflowOf)).toEqual(its);
    expect(its.length).toBeGreaterThan(0);
  });
});

it.each(operatedKinds.filter((kind) => rowOf(kind).charged))(
  'a %s is led to where it runs, if it does, and away; what takes it away waits for nobody',
  (kind) => {
    const its = operationKinds.filter((one) => isOn(kind, one)).map((one) => operations[one]);
    const aims = kind === 'image' ? ['gone'] : ['running', 'gone'];
    expect(its.map(({ aim }) => aim)).toEqual(expect.arrayContaining(aims));
    for (const { preempts, aim } of its) expect(preempts).toBe(aim === 'gone');
  },
);

it.each(operatedKinds.filter((kind) => rowOf(kind).owned))('of a %s is shown what was done to it, and why', (kind) => {
  const paths = routeTable.map(({ path }) => path);
  for (const what of ['operations', 'why']) expect(paths).toContain(`${kinds[kind].path}/{id}/${what}`);
});
