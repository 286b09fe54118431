/** What a client sees before it asks for something: what there is, gone things left out. */
export type Seen = {
  services: readonly number[];
  vms: readonly SeenVm[];
  /** VMs that belong to no service. */
  singles: readonly SeenVm[];
  hosts: readonly number[];
  images: readonly number[];
  /** Operations that go on, and those that ask a person. */
  open: readonly string[];
  asking: readonly string[];
  failed: readonly string[];
} & Templates;

/** `state`: in one word, as people say it. */
export type SeenVm = { id: number; state: string };

/** What services and single VMs are made from. */
export type Templates = {
  serviceTemplates: readonly number[];
  vmTemplate: number;
  /** The image that VMs of that are made of, and an address where another can be fetched. */
  image: number;
  imageSource: string;
};

/** A request; `admits`: when it is accepted, there is an operation of its own for it. */
export type Wish = { method: 'POST' | 'DELETE' | 'PATCH'; path: string; body?: object; admits: boolean };

/** One of these by chance; undefined of none. */
export type Pick = <T>(items: readonly T[]) => T | undefined;

/** What may be asked for; `weight`: how often. */
export type Kind = { name: string; weight: number; wish: (seen: Seen, pick: Pick) => Wish | undefined };

export const admitted = (path: string, body: object = {}): Wish => ({ method: 'POST', path, body, admits: true });
export const said = (path: string, body: object = {}): Wish => ({ method: 'POST', path, body, admits: false });

/** A wish about one of these, where there is one. */
export const about = <T>(item: T | undefined, wish: (item: T) => Wish | undefined): Wish | undefined =>
  item === undefined ? undefined : wish(item);
