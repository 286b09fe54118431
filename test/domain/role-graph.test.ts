import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deploymentOrder,
  deploymentParents,
  findCycle,
  type RoleNode,
  undeploymentBlockers,
} from '../../domain/role-graph.js';

const role = (name: string, ...parents: string[]): RoleNode => ({ name, parents });
const myService = [
  role('frontend'),
  role('db_master', 'frontend'),
  role('db_slave', 'frontend'),
  role('worker', 'db_master', 'db_slave'),
];

/** Roles r0…rn, parents anywhere: circles and self-parents included. */
const anyGraph = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc
    .array(fc.uniqueArray(fc.integer({ min: 0, max: size - 1 }), { maxLength: 3 }), {
      minLength: size,
      maxLength: size,
    })
    .map((parents) => parents.map((of, at) => role(`r${at}`, ...of.map((parent) => `r${parent}`)))),
);

/** The same, each parent before its child, then shuffled: never a circle. */
const acyclicGraph = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc
    .tuple(
      ...Array.from({ length: size }, (_, at) =>
        fc.uniqueArray(fc.integer({ min: 0, max: Math.max(0, at - 1) }), { maxLength: at === 0 ? 0 : 3 }),
      ),
    )
    .map((parents) => parents.map((of, at) => role(`r${at}`, ...of.map((parent) => `r${parent}`))))
    .chain((roles) => fc.shuffledSubarray(roles, { minLength: roles.length })),
);

/** Kahn's way, as a second opinion: whether removing roles without parents again and again leaves some. */
function hasCircle(roles: readonly RoleNode[]): boolean {
  let left = [...roles];
  for (let before = -1; before !== left.length; ) {
    before = left.length;
    const names = new Set(left.map(({ name }) => name));
    left = left.filter(({ parents }) => parents.some((parent) => names.has(parent)));
  }
  return left.length > 0;
}

describe('the circle in a role graph', () => {
  it('is named in order, each role before the one that it waits for', () => {
    expect(findCycle([role('x', 'a'), role('a', 'b'), role('b', 'c'), role('c', 'a')])).toEqual(['a', 'b', 'c', 'a']);
    expect(findCycle([role('a', 'a')])).toEqual(['a', 'a']);
  });

  it('is not seen where there is none', () => {
    expect(findCycle(myService)).toBeUndefined();
    expect(findCycle([])).toBeUndefined();
    expect(findCycle([role('a', 'nobody')])).toBeUndefined();
  });

  it('is found exactly when there is one, and every step of it is a parent', () => {
    fc.assert(
      fc.property(anyGraph, (roles) => {
        const cycle = findCycle(roles);
        expect(cycle !== undefined).toBe(hasCircle(roles));
        cycle?.slice(1).forEach((parent, at) => {
          expect(roles.find(({ name }) => name === cycle[at])?.parents).toContain(parent);
        });
        if (cycle) expect(cycle.at(-1)).toBe(cycle[0]);
      }),
    );
  });

  it('is found in a chain of ten thousand roles', () => {
    const chain = Array.from({ length: 10_000 }, (_, at) => role(`r${at}`, `r${(at + 1) % 10_000}`));
    expect(findCycle(chain)).toHaveLength(10_001);
  });
});

describe('the order of a deployment', () => {
  it('is by levels when straight, all at once when none', () => {
    expect(deploymentOrder(myService, 'straight')).toEqual([['frontend'], ['db_master', 'db_slave'], ['worker']]);
    expect(deploymentOrder(myService, 'none')).toEqual([['frontend', 'db_master', 'db_slave', 'worker']]);
    expect(deploymentOrder([], 'straight')).toEqual([]);
  });

  it('does not wait twice for a parent that is named twice', () => {
    expect(deploymentOrder([role('a'), role('b', 'a', 'a')], 'straight')).toEqual([['a'], ['b']]);
    expect(deploymentParents(role('b', 'a', 'a'), 'straight')).toEqual(['a']);
    expect(deploymentParents(role('b', 'a'), 'none')).toEqual([]);
  });

  it('holds every role once, in the level right after its last parent', () => {
    fc.assert(
      fc.property(acyclicGraph, (roles) => {
        const levels = deploymentOrder(roles, 'straight');
        expect(levels.flat().sort()).toEqual(roles.map(({ name }) => name).sort());
        const levelOf = (name: string) => levels.findIndex((level) => level.includes(name));
        for (const { name, parents } of roles) expect(levelOf(name)).toBe(Math.max(-1, ...parents.map(levelOf)) + 1);
      }),
    );
  });
});

describe('the order of an undeployment', () => {
  it('lets children go first when straight', () => {
    expect(undeploymentBlockers(myService, 'frontend', 'straight')).toEqual(['db_master', 'db_slave']);
    expect(undeploymentBlockers(myService, 'worker', 'straight')).toEqual([]);
    expect(undeploymentBlockers(myService, 'frontend', 'none')).toEqual([]);
  });

  it('is the deployment backwards: a role blocks exactly its parents', () => {
    fc.assert(
      fc.property(acyclicGraph, fc.constantFrom('none' as const, 'straight' as const), (roles, deployment) => {
        for (const parent of roles)
          for (const child of roles)
            expect(undeploymentBlockers(roles, parent.name, deployment).includes(child.name)).toBe(
              deploymentParents(child, deployment).includes(parent.name),
            );
      }),
    );
  });
});
