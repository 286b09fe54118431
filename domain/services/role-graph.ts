import type { ServiceTemplateBody } from '../../schemas/services/service-template.js';

export type RoleNode = { readonly name: string; readonly parents: readonly string[] };
export type Deployment = ServiceTemplateBody['deployment'];

/**
 * One circle of roles that wait for each other, each followed by the parent that it waits for, the first again at the
 * end: `['a', 'b', 'a']`. Parents that do not exist are passed over.
 */
export function findCycle(roles: readonly RoleNode[]): string[] | undefined {
  const parentsOf = new Map<string, string[]>();
  for (const { name, parents } of roles) {
    const before = parentsOf.get(name);
    if (before) before.push(...parents);
    else parentsOf.set(name, [...parents]);
  }
  const finished = new Set<string>();
  for (const { name: start } of roles) {
    if (finished.has(start)) continue;
    // Walked with a stack of its own: a chain of ten thousand roles must not exhaust the engine's.
    const path = [{ name: start, next: 0 }];
    const onPath = new Set([start]);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const parent = parentsOf.get(at.name)?.[at.next];
      at.next += 1;
      if (parent === undefined) {
        finished.add(at.name);
        onPath.delete(at.name);
        path.pop();
      } else if (onPath.has(parent)) {
        const names = path.map((step) => step.name);
        return [...names.slice(names.indexOf(parent)), parent];
      } else if (parentsOf.has(parent) && !finished.has(parent)) {
        path.push({ name: parent, next: 0 });
        onPath.add(parent);
      }
    }
  }
  return undefined;
}

/** The roles that must run before this one may start: its parents, or none where the roles start together. */
export const deploymentParents = (role: RoleNode, deployment: Deployment): string[] =>
  deployment === 'straight' ? [...new Set(role.parents)] : [];

/**
 * By role, the places in the list of those that must run before it may start. Plans are made of places: names are up to
 * 128 characters long, and written at each of a role's children they would outgrow what the engine takes.
 */
export function parentPlaces(roles: readonly RoleNode[], deployment: Deployment): number[][] {
  const places = new Map(roles.map(({ name }, at) => [name, at]));
  return roles.map((role) => deploymentParents(role, deployment).flatMap((parent) => places.get(parent) ?? []));
}

/** By role, the places of those that must be gone before it may go: its children, or none where the roles go together. */
export function blockerPlaces(roles: readonly RoleNode[], deployment: Deployment): number[][] {
  const blockers: number[][] = roles.map(() => []);
  for (const [child, parents] of parentPlaces(roles, deployment).entries())
    for (const parent of parents) blockers[parent]?.push(child);
  return blockers;
}

/** Levels of role names: each role stands in the first level after all its parents. A circle's roles are left out. */
export function deploymentOrder(roles: readonly RoleNode[], deployment: Deployment): string[][] {
  const known = new Set(roles.map((role) => role.name));
  const children = new Map<string, string[]>();
  const waitsFor = new Map<string, number>();
  for (const role of roles) {
    const parents = deploymentParents(role, deployment).filter((parent) => known.has(parent));
    waitsFor.set(role.name, parents.length);
    for (const parent of parents) {
      const before = children.get(parent);
      if (before) before.push(role.name);
      else children.set(parent, [role.name]);
    }
  }
  const levels: string[][] = [];
  let level = roles.map((role) => role.name).filter((name) => waitsFor.get(name) === 0);
  while (level.length > 0) {
    levels.push(level);
    const freed: string[] = [];
    for (const name of level)
      for (const child of children.get(name) ?? []) {
        const left = (waitsFor.get(child) ?? 0) - 1;
        waitsFor.set(child, left);
        if (left === 0) freed.push(child);
      }
    level = freed;
  }
  return levels;
}

/** By role, all those that must run before it may start: its parents, theirs, and so on. Those of a circle have none. */
export function rolesBefore(roles: readonly RoleNode[], deployment: Deployment): Map<string, Set<string>> {
  const all = new Map<string, Set<string>>();
  const known = new Map(roles.map((role) => [role.name, deploymentParents(role, deployment)]));
  for (const level of deploymentOrder(roles, deployment))
    for (const name of level) {
      const its = new Set<string>();
      for (const parent of known.get(name) ?? []) {
        if (known.has(parent)) its.add(parent);
        for (const before of all.get(parent) ?? []) its.add(before);
      }
      all.set(name, its);
    }
  return all;
}
