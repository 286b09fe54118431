import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beyond, measureServiceTemplate } from '../../../domain/bounds.js';
import {
  blockerPlaces,
  deploymentOrder,
  deploymentParents,
  findCycle,
  parentPlaces,
  type RoleNode,
} from '../../../domain/services/role-graph.js';
import { limits } from '../../../schemas/common/limits.js';
import { ServiceTemplateBody } from '../../../schemas/services/service-template.js';

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
  const blockersOf = (name: string, deployment: 'none' | 'straight') =>
    blockerPlaces(myService, deployment)[myService.findIndex((role) => role.name === name)]?.map(
      (at) => myService[at]?.name,
    );

  it('lets children go first when straight', () => {
    expect(blockersOf('frontend', 'straight')).toEqual(['db_master', 'db_slave']);
    expect(blockersOf('worker', 'straight')).toEqual([]);
    expect(blockersOf('frontend', 'none')).toEqual([]);
  });

  it('is the deployment backwards: a role blocks exactly its parents', () => {
    fc.assert(
      fc.property(acyclicGraph, fc.constantFrom('none' as const, 'straight' as const), (roles, deployment) => {
        const [parents, blockers] = [parentPlaces(roles, deployment), blockerPlaces(roles, deployment)];
        for (const [child, { name }] of roles.entries()) {
          expect(parents[child]?.map((at) => roles[at]?.name)).toEqual(
            deploymentParents({ name, parents: roles[child]?.parents ?? [] }, deployment),
          );
          for (const parent of roles.keys())
            expect(blockers[parent]?.includes(child)).toBe(parents[child]?.includes(parent));
        }
      }),
    );
  });
});

describe('the largest plan', () => {
  /** What the engine takes of one payload; several may go in one message of twice as much. */
  const engineTakes = 2_000_000;
  const mostRoles = limits.roles.most;
  const mostParents = limits.parentsInAll.most / mostRoles;
  /** Parents with short names, children with long ones: plans that held names said the long ones at each parent. */
  const nameOf = (at: number): string => (at < mostParents ? `${at}` : `${at}_`.padEnd(limits.name.most, 'x'));
  const roles = Array.from({ length: mostRoles }, (_, at) => ({
    name: nameOf(at),
    vm_template: 0,
    parents: at < mostParents ? [] : Array.from({ length: mostParents }, (_, parent) => nameOf(parent)),
  }));
  const body = ServiceTemplateBody.parse({ name: 'large', deployment: 'straight', roles });

  it('is far below what the engine takes, of a deployment and of an undeployment', () => {
    expect(beyond(measureServiceTemplate(body))).toEqual([]);
    const [parents, blockers] = [parentPlaces(body.roles, 'straight'), blockerPlaces(body.roles, 'straight')];
    const policy = { retries: 10, replacements: 10, finally: 'fail' };
    const most = { up: false, step: 1_000_000, failed: true, skip: true, policy, lost: true };
    const plans = [
      body.roles.map(({ name }, at) => ({ name, parents: parents[at], ...most })),
      body.roles.map(({ name }, at) => ({ name, hard: false, blockers: blockers[at], gone: false })),
    ];
    for (const plan of plans)
      expect(JSON.stringify({ service: 1_000_000, gate: false, roles: plan }).length).toBeLessThan(engineTakes / 4);
  });

  it('is not to be made larger: more parents are refused', () => {
    const [first, last] = [body.roles[0], body.roles.at(-1)];
    if (!first || !last) throw new Error('there are no roles');
    const more = Array.from({ length: 101 }, () => first.name);
    const larger = { ...body, roles: [...body.roles.slice(0, -1), { ...last, parents: [...last.parents, ...more] }] };
    expect(beyond(measureServiceTemplate(larger)).map(({ pointer }) => pointer)).toContain('/roles');
  });
});
