import { PlainVmAction } from '../../../schemas/operations/vm-action.js';
import { hostWishes } from './host-wishes.js';
import { imageWishes } from './image-wishes.js';
import { vmWishes } from './vm-wishes.js';
import { about, admitted, type Kind, said } from './wish.js';

/** Roles of the templates: one of them is often not there. */
const roles = ['db', 'web', 'one', 'two', 'late'];

/** What needs nothing more to be said. */
const roleActions = PlainVmAction.options;
const paces = [{}, {}, { number: 1 }, { number: 1, period: 1 }, { number: 2, period: 1 }];

/** More services than these are not made: clients are to meet at the same ones. */
const most = 8;

/** What clients ask for. The weights make what is there come and go, and most of it be asked for several things at once. */
export const kinds: readonly Kind[] = [
  {
    name: 'instantiate a service',
    weight: 4,
    wish: ({ services, serviceTemplates }, pick) =>
      services.length < most
        ? about(pick(serviceTemplates), (id) => admitted(`/service-templates/${id}/instantiate`))
        : undefined,
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
    name: 'scale a role',
    weight: 4,
    wish: ({ services }, pick) =>
      about(pick(services), (id) =>
        admitted(`/services/${id}/roles/${pick(roles)}/scale`, { cardinality: pick([0, 1, 2, 3, 4]), force: true }),
      ),
  },
  {
    name: 'act on a role',
    weight: 3,
    wish: ({ services }, pick) =>
      about(pick(services), (id) =>
        admitted(`/services/${id}/roles/${pick(roles)}/actions`, { action: pick(roleActions), ...pick(paces) }),
      ),
  },
  {
    name: 'act on a service',
    weight: 1,
    wish: ({ services }, pick) =>
      about(pick(services), (id) => admitted(`/services/${id}/actions`, { action: pick(roleActions), ...pick(paces) })),
  },
  {
    name: 'release a service',
    weight: 2,
    wish: ({ services }, pick) => about(pick(services), (id) => admitted(`/services/${id}/release`)),
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
  ...vmWishes,
  ...hostWishes,
  ...imageWishes,
];

/** Kinds as often as they weigh: one of these by chance is a kind by its weight. */
export const lots: readonly Kind[] = kinds.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
