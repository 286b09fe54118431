import { about, admitted, type Kind } from './wish.js';

/** What clients ask for of hosts: more often that they serve than that they do not, or nothing would ever run. */
export const hostWishes: readonly Kind[] = [
  {
    name: 'enable or disable a host',
    weight: 4,
    wish: ({ hosts }, pick) =>
      about(pick(hosts), (id) => ({
        ...{ method: 'PATCH', path: `/hosts/${id}`, admits: false },
        body: { state: pick(['enabled', 'enabled', 'enabled', 'disabled', 'offline']) },
      })),
  },
  {
    name: 'flush a host',
    weight: 2,
    wish: ({ hosts }, pick) => about(pick(hosts), (id) => admitted(`/hosts/${id}/flush`)),
  },
];
