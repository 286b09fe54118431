import { z } from 'zod';
import type { VmResource } from '../../schemas/vms/vm.js';
import { VmLogResource } from '../../schemas/vms/vm-log.js';
import { type Leaf, leaf } from '../shell/command.js';
import { tableOf } from '../shell/output.js';
import { type Resource, resolve, shown } from '../shell/resource.js';

/** `arcus vm log` and `arcus vm history`. */
export const vmLogLeaves = (vms: Resource<typeof VmResource, typeof VmResource>): readonly Leaf[] =>
  (
    [
      ['log', 'Show the changes of state of a VM, with what and who made them', logText],
      ['history', 'Show where a VM was, since when, and when it was prepared and ran there', historyText],
    ] as const
  ).map(([verb, summary, text]) =>
    leaf({
      usage: `${verb} <vm>`,
      summary,
      examples: [`arcus vm ${verb} 34`, `arcus vm ${verb} test -o json`],
      schema: z.object({}),
      run: async (context, [wish]) => {
        const id = await resolve(context.client(), vms, wish);
        const { value, raw } = await context.client().get(`/vms/${id}/log`, VmLogResource);
        shown(context, () => text(value), raw);
      },
    }),
  );

const logText = ({ log }: VmLogResource): string =>
  tableOf(
    [
      { title: 'TIME', text: ({ time }) => time },
      { title: 'STATE', text: ({ state, lcm_state }) => (state === 'ACTIVE' ? lcm_state : state) },
      { title: 'BY', text: ({ action, requester, operation }) => byText(action, requester, operation) },
      { title: 'REASON', text: ({ reason }) => reason ?? '-' },
    ],
    log,
  );

const byText = (action: string | null, requester: string | null, operation: string | null): string =>
  action === null ? (operation ?? '-') : `${action} of ${requester ?? '?'}`;

type Stay = VmLogResource['history'][number];

const spanText = (span: Stay['running']): string => (span ? `${span.from} .. ${span.until ?? ''}`.trimEnd() : '-');

const historyText = ({ history }: VmLogResource): string =>
  tableOf(
    [
      { title: 'SEQ', text: ({ seq }) => String(seq), right: true },
      { title: 'HOST', text: ({ host_id, hostname }) => `${host_id} (${hostname})` },
      { title: 'ACTION', text: ({ action }) => action ?? 'none' },
      { title: 'REASON', text: ({ reason }) => reason },
      { title: 'FROM', text: ({ started_at }) => started_at },
      { title: 'UNTIL', text: ({ ended_at }) => ended_at ?? '-' },
      { title: 'PROLOG', text: ({ prolog }) => spanText(prolog) },
      { title: 'RUNNING', text: ({ running }) => spanText(running) },
      { title: 'EPILOG', text: ({ epilog }) => spanText(epilog) },
    ],
    history,
  );
