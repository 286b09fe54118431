import { z } from 'zod';
import type { Credentials } from '../../runtime/servers/credentials.js';
import { OperationResource } from '../../schemas/operations/operation.js';
import { ServiceResource, type ServiceState } from '../../schemas/services/service.js';
import { VmResource } from '../../schemas/vms/vm.js';
import { eventually } from './processes.js';

export type Reply = { status: number; body: unknown; headers: Headers };
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const Identified = z.object({ id: z.int() });
const VmPage = z.object({ items: z.array(VmResource), next_cursor: z.string().nullable() });

/** Waits in tests are bounded only so that a test which hangs says what it saw. */
export const patience = 90_000;

/** A client of one api process: everything that it knows comes over HTTP. */
export class ClusterClient {
  readonly url: string;
  readonly #authorization: string;

  constructor(url: string, { name, password }: Credentials) {
    this.url = url;
    this.#authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  }

  /** Paths are below /api/v1. A body that is a string is sent as text. */
  async send(method: Method, path: string, body?: object | string, headers: Record<string, string> = {}) {
    const isText = typeof body === 'string';
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: this.#authorization,
        ...(body !== undefined && { 'content-type': isText ? 'text/plain' : 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    const reply: Reply = {
      status: response.status,
      body: text === '' ? undefined : JSON.parse(text),
      headers: response.headers,
    };
    return reply;
  }

  /** The answer, which must be a good one of this shape. */
  async ask<T extends z.ZodType>(shape: T, ...request: Parameters<ClusterClient['send']>): Promise<z.infer<T>> {
    const { status, body } = await this.send(...request);
    if (status >= 300) throw new Error(`${request[0]} ${request[1]}: ${status} ${JSON.stringify(body)}`);
    return shape.parse(body);
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

  service(id: number): Promise<ServiceResource> {
    return this.ask(ServiceResource, 'GET', `/services/${id}`);
  }

  /** VMs of a service that are not DONE. */
  async vmsOf(service: number): Promise<VmResource[]> {
    return (await this.ask(VmPage, 'GET', `/vms?service_id=${service}&limit=1000`)).items;
  }

  vm(id: number): Promise<VmResource> {
    return this.ask(VmResource, 'GET', `/vms/${id}`);
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
