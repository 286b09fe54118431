/** What a release does otherwise than those before it: `since` it, `from`. */
type Difference<B extends string, F extends string> = { since: readonly [number, number]; before: B; from: F };

const differs = <const B extends string, const F extends string>(
  since: readonly [number, number],
  before: B,
  from: F,
): Difference<B, F> => ({ since, before, from });

/** THE table of where releases of OneFlow disagree: whoever asks is answered as his client's release is used to. */
const differences = {
  /** The words before the number in “… Error getting document [6].” */
  call: differs([5, 4], 'DocumentInfo', 'one.document.info'),
  /** What DELETE of a service does. */
  deletes: differs([5, 12], 'removes', 'undeploys'),
  /** What an action on the VMs of a role is answered with. */
  roleAction: differs([5, 12], 'told', 'silent'),
  /** What is told of a VM. */
  nodes: differs([5, 12], 'whole', 'brief'),
  /** To scale a role to what it has. */
  sameCardinality: differs([5, 12], 'taken', 'refused'),
  /** Services that are DONE. */
  done: differs([6, 0], 'shown', 'gone'),
  /** When templates and services were made: they have it in their body, or have not. */
  times: differs([6, 0], 'none', 'told'),
  /** The state HOLD: it is PENDING, or itself. */
  holds: differs([6, 4], 'unknown', 'known'),
  /** How merge_template goes over the template: its top level alone, or roles by name and objects by their members. */
  merges: differs([6, 10], 'shallow', 'deep'),
  /** What the members of templates are called: vm_template and custom_attrs, or template_id and user_inputs. */
  names: differs([7, 0], 'first', 'later'),
} as const;

type Differences = typeof differences;
export type Ways = { readonly [D in keyof Differences]: Differences[D]['before'] | Differences[D]['from'] };

/** How a client of OneFlow is answered, by its User-Agent, `OpenNebula 5.0.2 (CLI)`. One that names no release has the newest. */
export function waysOf(userAgent: string | undefined): Ways {
  const [, major, minor] = /^OpenNebula (\d{1,4})\.(\d{1,4})/.exec(userAgent ?? '') ?? [];
  const release = major === undefined ? null : ([Number(major), Number(minor)] as const);
  const as = <B extends string, F extends string>({ since, before, from }: Difference<B, F>): B | F =>
    release !== null && (release[0] < since[0] || (release[0] === since[0] && release[1] < since[1])) ? before : from;
  return {
    call: as(differences.call),
    deletes: as(differences.deletes),
    roleAction: as(differences.roleAction),
    nodes: as(differences.nodes),
    sameCardinality: as(differences.sameCardinality),
    done: as(differences.done),
    times: as(differences.times),
    holds: as(differences.holds),
    merges: as(differences.merges),
    names: as(differences.names),
  };
}
