import type { NextAction } from '../../schemas/operations/next-action.js';
import type { Why } from '../../schemas/operations/why.js';
import { few, listed } from '../words.js';

/** A network, and who has its addresses. */
export type NetworkFacts = {
  id: number;
  name: string;
  parent: { id: number; name: string | null } | null;
  service: number | null;
  /** All that it has, and the most that nobody has in a row; null: they are too many to be looked through. */
  size: number;
  longest: number | null;
  /** `first`: some of the VMs. */
  vms: { addresses: number; first: readonly number[]; count: number };
  reservations: readonly { id: number; name: string | null; addresses: number }[];
  /** `first`: one of those that are held. */
  held: { addresses: number; first: { ip: string } | { mac: string } | null };
  /** What whoever asks may do. */
  manages: boolean;
  administers: boolean;
  /** Where the API has it. */
  href: string;
};

/** Why a network has an address left, or none: who has which, and what can be done. No operation is ever at work on one. */
export function whyNetwork(facts: NetworkFacts): Why {
  const { id, name } = facts;
  const free = facts.size - hadOf(facts);
  const state = facts.size === 0 ? 'EMPTY' : free === 0 ? 'FULL' : 'FREE';
  const actions = actionsOn(facts);
  return {
    text: [...originOf(facts), ...stateOf(facts, free), ...adviceOn(facts, free, actions)].join(' '),
    resource: { type: 'network', id, name, state },
    ...{ operation: null, operation_state: null, waiting_for: null, failures: [], actions, asked_engine: true },
  };
}

const hadOf = ({ vms, reservations, held }: NetworkFacts): number =>
  vms.addresses + held.addresses + reservations.reduce((sum, { addresses }) => sum + addresses, 0);

const called = (id: number, name: string | null): string => (name === null ? `${id}` : `${id} (${name})`);

function originOf({ id, name, parent, service }: NetworkFacts): string[] {
  const it = `Virtual network ${id} (${name})`;
  const made = service === null ? '' : `, was made for service ${service}, and goes with it`;
  if (parent === null) return service === null ? [] : [`${it}${made.slice(1)}.`];
  return [`${it} is made of addresses of network ${called(parent.id, parent.name)}${made}.`];
}

function stateOf(facts: NetworkFacts, free: number): string[] {
  const { id, name, parent, service, size, longest } = facts;
  const it = parent === null && service === null ? `Virtual network ${id} (${name})` : 'It';
  if (size === 0) return [`${it} has no addresses: no VM can be on it before a range is added.`];
  const had = hadBy(facts);
  const whole = `${it} has ${size === 1 ? 'one address' : `${size} addresses`}`;
  if (had.length === 0) return [`${whole}, and nobody has one.`];
  const left = free === 0 ? 'none is free' : free === 1 ? 'one is free' : `${free} are free`;
  const row =
    longest === null || free < 2 || longest === free ? '' : `, at most ${longest} of them in a row, for a reservation`;
  return [`${whole}: ${listed([...had, `${left}${row}`])}.`];
}

function hadBy({ vms, reservations, held }: NetworkFacts): string[] {
  const more = vms.count - vms.first.length;
  const names = [...vms.first.map((vm) => `VM ${vm}`), ...(more > 0 ? [`${more} more`] : [])];
  return [
    ...(vms.addresses > 0 ? [`${vms.addresses} ${areHad(vms.addresses)} by ${listed(names)}`] : []),
    ...(reservations.length > 0
      ? [
          `${reservations.reduce((sum, { addresses }) => sum + addresses, 0)} are reserved for ${few(reservations.map((one) => `network ${called(one.id, one.name)}`))}`,
        ]
      : []),
    ...(held.addresses > 0 ? [`${held.addresses} ${held.addresses === 1 ? 'is' : 'are'} held back`] : []),
  ];
}

const areHad = (count: number): string => (count === 1 ? 'is had' : 'are had');

function adviceOn({ id, parent, size, vms, administers }: NetworkFacts, free: number, actions: NextAction[]): string[] {
  if (free > 0) return [];
  const back = vms.addresses > 0 ? ['One comes back when a VM that has one is DONE, or its NIC is detached.'] : [];
  const range = administers && parent === null ? [`add a range (arcus network addar ${id} --ip … --size …)`] : [];
  const can = [...(actions.some(({ name }) => name === 'release_address') ? ['release what is held'] : []), ...range];
  if (can.length > 0) return [...(size > 0 ? back : []), `You can ${listed(can, 'or')}.`];
  return [...(size > 0 ? back : []), 'Whoever has ADMIN on it can add a range.'].slice(0, parent === null ? 2 : 1);
}

function actionsOn(facts: NetworkFacts): NextAction[] {
  const { id, href, held, service, manages } = facts;
  if (!manages) return [];
  const { first } = held;
  const release: NextAction[] =
    first === null
      ? []
      : [
          {
            name: 'release_address',
            description: 'Let an address that is held back be given to somebody.',
            ...{ method: 'POST', href: `${href}/release`, body: first },
            command: `arcus network release ${id} ${'ip' in first ? first.ip : first.mac}`,
          },
        ];
  const remove: NextAction[] =
    hadOf(facts) > 0 || service !== null
      ? []
      : [
          {
            name: 'delete_network',
            description: 'Remove it: nobody has an address of it.',
            ...{ method: 'DELETE', href, body: null },
            command: `arcus network delete ${id}`,
          },
        ];
  return [...release, ...remove];
}
