import type { RequestHandler } from 'express';
import { z } from 'zod';
import { Problem } from '../../../domain/problems.js';
import type { Operations } from '../../../requests/operations.js';
import { isForeign, sourceOf } from '../../../schemas/common/request-source.js';
import { VmScreenResource } from '../../../schemas/vms/vm-screen.js';
import { check, checkQuery } from '../../http/findings.js';
import { invalid } from '../../http/invalid.js';
import { handThrough } from '../../http/upgrades.js';
import { apiRoot, ById, NoQuery, noBody, type Route, route, shows } from '../route.js';

const path = '/vms/{id}/vnc';

export const vmScreenRoute: Route = route({
  ...{ id: 'askForScreen', method: 'post', path, tag: 'VMs' },
  summary: 'Ask for the screen of a VM, which a WebSocket shows once',
  needs: [['manage', 'vm']],
  description:
    'Answers with the path of a WebSocket on this server and a token that opens it once, within a minute. It speaks RFB in binary messages, as noVNC does (subprotocol `binary`), and ends when its guest does. Nothing of the answer is shown again.',
  params: ById,
  query: NoQuery,
  body: noBody,
  // What is made is a token, which is shown this once and is at no address.
  answer: {
    ...{ ...shows(VmScreenResource), status: 201, description: 'What opens the screen', tagged: false },
    reply: (body: VmScreenResource) => ({ status: 201, body, headers: {} }),
  },
  problems: ['not_found', 'wrong_state', 'not_implemented', 'backend_unavailable'],
  examples: [
    {
      params: { id: '3' },
      answer: {
        vm: 3,
        path: '/api/v1/vms/3/vnc?token=arcus_a1B2c3D4_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG',
        password: 'pQ3_x-7z',
        expires_at: '2026-05-04T09:36:00.000Z',
      },
    },
  ],
  handle: ({ vms }, { caller, params }) => vms.askForScreen(caller, params.id),
});

const Shown = z.strictObject({ token: z.string().max(100) });

/** The WebSocket of a screen. Who shows a token need not say who he is: browsers cannot, of a WebSocket. */
export const screenSocket =
  ({ vms }: Pick<Operations, 'vms'>): RequestHandler =>
  async (request, response) => {
    request.template = `${apiRoot}${path}`;
    // Browsers ask for WebSockets by GET, and let pages of any site do it.
    if (isForeign({ ...sourceOf('POST', request.headers), host: request.host }))
      throw new Problem('not_authorized', 'Pages of other sites may not open screens.');
    const [params, query] = [check(ById, request.params), checkQuery(Shown, request.query)];
    if (!params.ok || !query.ok)
      throw invalid([params, query].flatMap((checked) => (checked.ok ? [] : checked.findings)));
    handThrough(request, response, await vms.openScreen(params.value.id, query.value.token));
  };
