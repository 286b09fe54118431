import { z } from 'zod';
import type { Answer, Client, Method } from '../../client/client.js';
import { collections } from '../../client/collections.js';
import type { EachManner } from '../../client/manner.js';
import { type Body, json, plain } from '../../client/message.js';
import { clientFor } from '../../client/node/client.js';
import type { Credentials } from '../../runtime/servers/credentials.js';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { ServiceResource, ServiceState } from '../../schemas/services/service.js';
import type { VmResource } from '../../schemas/vms/vm.js';
import { eventually } from './processes.js';

export type Reply = { status: number; body: unknown; headers: Headers };

const Identified = z.object({ id: z.int() });

/** Waits in tests are bounded only so that a test which hangs says what it saw. */
export const patience = 300_000;
const within = 30_000;

const bodyOf = (body: object | string | undefined): Body | undefined =>
  typeof body === 'string' ? plain(body) : body && json(body);

/** What tests ask of one api process: everything that they know comes over HTTP. */
export class ClusterClient {
  readonly url: string;
  readonly #client: Client;

  constructor(url: string, credentials: Credentials) {
    this.url = url;
    this.#client = clientFor({ endpoint: new URL(url), credentials });
  }

  /** Whatever is answered, a refusal too. Paths are below /api/v1; a body that is a string is sent as text. */
  async send(method: Method, path: string, body?: object | string, manner: EachManner = {}): Promise<Reply> {
    const { text, ...reply } = await this.#client.exchange(method, path, bodyOf(body), { within, ...manner });
    return { ...reply, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** The answer, which must be a good one of this shape. */
  async ask<T extends z.ZodType>(shape: T, ...request: Parameters<ClusterClient['send']>): Promise<z.output<T>> {
    const [method, path, body, manner] = request;
    const answer: Answer<z.output<T>> =
      method === 'GET'
        ? await this.#client.get(path, shape, { within })
        : await this.#client.send(method, path, shape, bodyOf(body), { within, ...manner });
    return answer.value;
  }

  /** Makes an object and returns its id. */
  async make(path: string, body: object | string): Promise<number> {
    return (await this.ask(Identified, 'POST', path, body)).id;
  }

  /** Asks for a long operation. */
  accepted(...request: Parameters<ClusterClient['send']>): Promise<OperationResource> {
    return this.ask(OperationResource, ...request);
  }

  /** Instantiates a service template and returns the id of the service. */
  async instantiate(template: number): Promise<number> {
    return (await this.accepted('POST', `/service-templates/${template}/instantiate`, {})).resource.id;
  }

  async service(id: number): Promise<ServiceResource> {
    return (await this.#client.show(collections.service, id, { within })).value;
  }

  /** VMs of a service that are not DONE. */
  async vmsOf(service: number): Promise<VmResource[]> {
    const query = { service_id: String(service) };
    return (await this.#client.all(collections.vm, { query, within })).map(({ value }) => value);
  }

  async vm(id: number): Promise<VmResource> {
    return (await this.#client.show(collections.vm, id, { within })).value;
  }

  /** The service once it is in this state; servers that are away meanwhile are waited for. */
  awaitService(id: number, state: ServiceState): Promise<ServiceResource> {
    return awaited(
      `service ${id} in ${state}`,
      () => this.service(id),
      (service) => service.state === state,
    );
  }

  awaitVm(id: number, isThere: (vm: VmResource) => boolean): Promise<VmResource> {
    return awaited(`VM ${id} as wished`, () => this.vm(id), isThere);
  }

  /** The operation once it is in one of these states. */
  awaitOperation(id: string, ...states: OperationResource['state'][]): Promise<OperationResource> {
    return awaited(
      `operation ${id} ${states.join(' or ')}`,
      () => this.ask(OperationResource, 'GET', `/operations/${id}`),
      (operation) => states.includes(operation.state),
    );
  }
}

async function awaited<T>(wish: string, look: () => Promise<T>, isThere: (seen: T) => boolean): Promise<T> {
  let last: unknown = 'nothing';
  let found: { seen: T } | undefined;
  const probe = async () => {
    try {
      const seen = await look();
      last = seen;
      if (isThere(seen)) found = { seen };
    } catch (error) {
      last = String(error);
    }
    return found !== undefined;
  };
  await eventually(probe, patience).catch(() => {});
  if (found === undefined) throw new Error(`${wish}: not seen; last: ${JSON.stringify(last)}`);
  return found.seen;
}
