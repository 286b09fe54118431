import type { Reply, Sender, Tenant } from './tenant.js';

export type SentRequest = {
  readonly method: Parameters<Sender['send']>[0];
  path: string;
  body: string;
  isText: boolean;
};

/** A tenant whose requests are written down as they are sent. */
export function recorded(tenant: Tenant): { tenant: Tenant; last(): SentRequest } {
  let sent: SentRequest | undefined;
  const send: Sender['send'] = (method, path, body = '', headers = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    sent = { method, path, body: text, isText: headers['content-type'] === 'text/plain' };
    return tenant.client.send(method, path, body === '' ? undefined : body, headers);
  };
  const client: Sender = { send, make: (path, body) => tenant.client.make(path, body) };
  return {
    tenant: { ...tenant, client },
    last() {
      if (!sent) throw new Error('nothing has been sent');
      return sent;
    },
  };
}

/**
 * A harmless request to the same route: as many bytes, most of them one long text. Where that is more than an object of its
 * kind may have, it is refused for its size, as anybody’s would be.
 */
export function harmlessLike(tenant: Tenant, { method, path, body, isText }: SentRequest): Promise<Reply> {
  const { client, vmTemplate, serviceTemplate } = tenant;
  if (method === 'GET') return client.send('GET', `/hosts/${'a'.repeat(Math.max(1, path.length - '/hosts/'.length))}`);
  const name = tenant.fresh();
  if (isText)
    return client.send(
      'POST',
      path,
      filled(body.length, (text) => `NAME=${name}\nCPU=1\nMEMORY=1\nNOTE="${text}"`),
      {
        'content-type': 'text/plain',
      },
    );
  const json = (route: string, make: (text: string) => object) =>
    client.send(
      method,
      route,
      filled(body.length, (text) => JSON.stringify(make(text))),
      {
        'content-type': 'application/json',
      },
    );
  if (method === 'PATCH') return json(`/vm-templates/${vmTemplate}`, (NOTE) => ({ template: { NOTE } }));
  if (path.endsWith('/instantiate'))
    return json(`/service-templates/${serviceTemplate}/instantiate`, (note) => ({ merge_template: { note } }));
  if (path === '/vm-templates') return json(path, (NOTE) => ({ name, template: { CPU: 1, MEMORY: 1, NOTE } }));
  return json(path, (note) => ({ name, note, roles: [{ name: 'a', vm_template: vmTemplate }] }));
}

/** A text in whose middle so much stands that it has so many bytes, when it can have so few. */
const filled = (bytes: number, make: (text: string) => string): string =>
  make('x'.repeat(Math.max(0, bytes - make('').length)));
