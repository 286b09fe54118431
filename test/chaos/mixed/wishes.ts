import { VmSwitch } from '../../../schemas/operations/vm-action.js';
import { RecoverAction } from '../../../schemas/vms/vm.js';

/** What a client sees before it asks for something: what there is, gone things left out. */
export type Seen = {
  services: readonly number[];
  vms: readonly number[];
  /** VMs that belong to no service. */
  singles: readonly number[];
  /** Operations that go on, and those that ask a person. */
  open: readonly string[];
  asking: readonly string[];
  failed: readonly string[];
} & Templates;

/** What services and single VMs are made from. */
export type Templates = { serviceTemplates: readonly number[]; vmTemplate: number };

/** A request; `admits`: when it is accepted, there is an operation of its own for it. */
export type Wish = { method: 'POST' | 'DELETE'; path: string; body?: object; admits: boolean };

/** What needs nothing more to be said. */
const switches = VmSwitch.exclude(['snapshot-revert', 'snapshot-delete']).options;

/** One of these by chance; undefined of none. */
export type Pick = <T>(items: readonly T[]) => T | undefined;

type Kind = { name: string; weight: number; wish: (seen: Seen, pick: Pick) => Wish | undefined };

const admitted = (path: string, body: object = {}): Wish => ({ method: 'POST', path, body, admits: true });
const said = (path: string, body: object = {}): Wish => ({ method: 'POST', path, body, admits: false });

/** A wish about one of these, where there is one. */
const about = <T>(item: T | undefined, wish: (item: T) => Wish): Wish | undefined =>
  item === undefined ? undefined : wish(item);

/** Roles of the templates: one of them is often not there. */
const roles = ['db', 'web', 'one', 'two'];

/** More services or single VMs than these are not made: clients are to meet at the same ones. */
const most = { services: 8, singles: 6 };

/** What clients ask for. The weights make what is there come and go, and most of it be asked for several things at once. */
export const kinds: readonly Kind[] = [
  {
    name: 'instantiate a service',
    weight: 4,
    wish: ({ services, serviceTemplates }, pick) =>
      services.length < most.services
        ? about(pick(serviceTemplates), (id) => admitted(`/service-templates/${id}/instantiate`))
        : undefined,
  },
  {
    name: 'make a VM',
    weight: 2,
    wish: ({ singles, vmTemplate }) =>
      singles.length < most.singles ? admitted('/vms', { template_id: vmTemplate }) : undefined,
  },
  {
    name: 'undeploy a service',
    weight: 2,
    wish: ({ services }, pick) =>
      about(pick(services), (id) => admitted(`/services/${id}/undeploy`, pick([{}, {}, { hard: true }]) ?? {})),
  },
  {
    name: 'delete a service',
    weight: 2,
    wish: ({ services }, pick) =>
      about(pick(services), (id) => ({ method: 'DELETE', path: `/services/${id}`, admits: true })),
  },
  {
    name: 'recover a service',
    weight: 3,
    wish: ({ services }, pick) => about(pick(services), (id) => admitted(`/services/${id}/recover`)),
  },
  {
    name: 'repair a service',
    weight: 3,
    wish: ({ services }, pick) => about(pick(services), (id) => admitted(`/services/${id}/repair`)),
  },
  {
    name: 'terminate a VM',
    weight: 4,
    wish: ({ vms }, pick) =>
      about(pick(vms), (id) => admitted(`/vms/${id}/terminate`, { hard: pick([true, false]) ?? false })),
  },
  {
    name: 'recover a VM',
    weight: 3,
    wish: ({ vms }, pick) =>
      about(pick(vms), (id) => admitted(`/vms/${id}/recover`, { action: pick(RecoverAction.options) })),
  },
  {
    name: 'switch a VM',
    weight: 4,
    wish: ({ vms }, pick) => about(pick(vms), (id) => admitted(`/vms/${id}/actions`, { action: pick(switches) })),
  },
  {
    name: 'scale a role',
    weight: 2,
    wish: ({ services }, pick) =>
      about(pick(services), (id) =>
        admitted(`/services/${id}/roles/${pick(roles)}/scale`, { cardinality: pick([0, 1, 2, 3, 4]), force: true }),
      ),
  },
  {
    name: 'act on a role',
    weight: 1,
    wish: ({ services }, pick) =>
      about(pick(services), (id) =>
        admitted(`/services/${id}/roles/${pick(roles)}/actions`, { action: pick(['poweroff', 'suspend', 'resume']) }),
      ),
  },
  {
    name: 'resume a VM',
    weight: 4,
    wish: ({ vms }, pick) => about(pick(vms), (id) => admitted(`/vms/${id}/resume`)),
  },
  {
    name: 'cancel an operation',
    weight: 3,
    wish: ({ open }, pick) => about(pick(open), (id) => said(`/operations/${id}/cancel`)),
  },
  {
    name: 'answer an operation',
    weight: 2,
    wish: ({ asking }, pick) =>
      about(pick(asking), (id) => said(`/operations/${id}/answer`, { answer: pick(['retry', 'skip', 'give_up']) })),
  },
  {
    name: 'retry an operation',
    weight: 2,
    wish: ({ failed }, pick) => about(pick(failed), (id) => admitted(`/operations/${id}/retry`)),
  },
];

/** Kinds as often as they weigh: one of these by chance is a kind by its weight. */
export const lots: readonly Kind[] = kinds.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
