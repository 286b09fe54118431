export type Reply = { status: number; body: unknown };
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Paths are below /api/v1; a body that is a string is sent as it is. */
export type Sender = {
  send(method: Method, path: string, body?: object | string, headers?: Record<string, string>): Promise<Reply>;
  /** Makes an object and returns its id. */
  make(path: string, body: object): Promise<number>;
};

/** What a tenant without rights beyond his own objects has to begin with. */
export type Tenant = {
  client: Sender;
  /** A small VM template of his own. */
  vmTemplate: number;
  /** A service template of his own: one role with one such VM. */
  serviceTemplate: number;
  /** Makes names that are not taken. */
  fresh(): string;
};

/**
 * The worst that can be sent of a kind. `attack` is given again and again while another user works; its answers may be
 * anything but a fault of Arcus. It is compared with what harmless.ts makes of its last request, or with `harmless`.
 */
export type HostileCase = {
  name: string;
  /** Done once, before anybody else works. */
  prepare?(tenant: Tenant): Promise<void>;
  attack(tenant: Tenant): Promise<Reply>;
  harmless?(tenant: Tenant): Promise<Reply>;
  /** What it leads to takes seconds: CI does it once. */
  once?: true;
};

export const many = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));
